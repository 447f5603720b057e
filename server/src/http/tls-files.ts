import { createSecureContext } from "node:tls";
import type { SecureContextOptions } from "node:tls";
import { ConfigError } from "../config/config-error.ts";
import { readFiles, watchFiles } from "../config/watch-files.ts";
import type { FileContent } from "../config/watch-files.ts";
import type { Logger } from "../logging/logger.ts";

export interface TlsFiles {
  /** The certificate chain, PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
  /** The authorities whose certificates clients must bear, PEM. Undefined: clients need none. */
  readonly clientCa: string | undefined;
}

export interface TlsIdentity {
  readonly context: SecureContextOptions;
  readonly requiresClientCertificate: boolean;
  /** Calls back with the new context after the files changed to something that can be used. */
  watch(onChange: (context: SecureContextOptions) => void): () => void;
}

/** Reads and checks the files; throws a ConfigError where they cannot be used. */
export async function openTlsFiles(files: TlsFiles, logger: Logger): Promise<TlsIdentity> {
  const paths = [files.cert, files.key, ...(files.clientCa === undefined ? [] : [files.clientCa])];
  const initial = await readFiles(paths);
  const usable = tryContext(paths, initial);
  if (usable instanceof Error) throw new ConfigError(usable.message, { cause: usable });
  return {
    context: usable,
    requiresClientCertificate: files.clientCa !== undefined,
    watch: (onChange) =>
      watchFiles(paths, initial, (contents) => {
        const context = tryContext(paths, contents);
        if (context instanceof Error) {
          // A key that does not fit its certificate yet: the other file comes in a moment.
          logger.error({ err: context }, "the changed TLS files cannot be used; the certificate in use stays");
          return;
        }
        onChange(context);
        logger.info({ cert: files.cert }, "the TLS certificate was read again");
      }),
  };
}

function tryContext(paths: readonly string[], contents: readonly FileContent[]): SecureContextOptions | Error {
  const failed = contents.findIndex((content) => content instanceof Error);
  if (failed >= 0)
    return new Error(`The TLS file ${paths[failed]} cannot be read: ${(contents[failed] as Error).message}`);
  const [cert, key, ca] = contents as Buffer[];
  if (cert === undefined || key === undefined) return new Error("A TLS file is missing");
  const context: SecureContextOptions = { cert, key, minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) };
  try {
    createSecureContext(context);
  } catch (error) {
    return new Error(`The TLS files ${paths.join(", ")} cannot be used: ${(error as Error).message}`, { cause: error });
  }
  return ca === undefined || ca.includes("-----BEGIN CERTIFICATE-----")
    ? context
    : new Error(`The TLS file ${paths[2]} holds no certificate`);
}
