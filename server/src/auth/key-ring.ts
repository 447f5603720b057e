import { stat } from "node:fs/promises";
import { ConfigError } from "../config/config-error.ts";
import { readFiles, watchFiles } from "../config/watch-files.ts";
import type { FileContent } from "../config/watch-files.ts";
import type { Logger } from "../logging/logger.ts";
import { matchesAny, parseKeyFile, parseKeys } from "./api-keys.ts";
import type { KeyDigest, ParsedKeys } from "./api-keys.ts";

export interface KeyRing {
  /** Whether the key opens the server now. */
  accepts(key: string): boolean;
  close(): void;
}

export interface KeyRingOptions {
  /** A file of keys, read again when it changes. */
  readonly file: string | undefined;
  /** Keys that stay, plain or digests. */
  readonly keys: readonly string[];
  readonly logger: Logger;
  /** How often the file is looked at. Default 1 s. */
  readonly pollIntervalMs?: number;
}

/** Opens the ring; undefined where there is neither a file nor a key. Throws a ConfigError for a key that cannot be used. */
export async function openKeyRing({
  file,
  keys,
  logger,
  pollIntervalMs,
}: KeyRingOptions): Promise<KeyRing | undefined> {
  if (file === undefined && keys.length === 0) return undefined;
  const fixed = asConfigError(() => parseKeys(keys.map((text, index) => ({ text, place: `API key ${index + 1}` }))));
  if (file === undefined) {
    return { accepts: (key) => matchesAny(key, fixed.digests), close: () => {} };
  }

  const initial = await readFiles([file]);
  const first = asConfigError(() => parseContent(file, initial[0]));
  if (first.digests.length === 0 && fixed.digests.length === 0) {
    throw new ConfigError(`${file} holds no key, so nobody could call; put one on a line of its own`);
  }
  let fromFile: readonly KeyDigest[] = first.digests;
  await warnOfReaders(file, first, logger);
  const stop = watchFiles(
    [file],
    initial,
    ([content]) => {
      try {
        // An emptied file shuts everybody out, which is what whoever emptied it wants. One that is gone or broken is
        // taken for an accident: the keys in use stay.
        const parsed = parseContent(file, content);
        fromFile = parsed.digests;
        logger.info({ file, keys: fromFile.length }, "the API keys were read again");
        void warnOfReaders(file, parsed, logger);
      } catch (error) {
        logger.error({ err: error, file }, "the changed API keys cannot be used; the keys in use stay");
      }
    },
    pollIntervalMs,
  );
  return { accepts: (key) => matchesAny(key, [...fixed.digests, ...fromFile]), close: stop };
}

function parseContent(file: string, content: FileContent | undefined): ParsedKeys {
  if (content === undefined || content instanceof Error) {
    throw new Error(`The API key file ${file} cannot be read: ${content?.message ?? "it is missing"}`);
  }
  return parseKeyFile(content.toString("utf8"), file);
}

function asConfigError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error });
  }
}

async function warnOfReaders(file: string, { hasPlain }: ParsedKeys, logger: Logger): Promise<void> {
  if (!hasPlain) return;
  const mode = await stat(file).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & 0o077) !== 0) {
    logger.warn({ file }, "every user of this machine can read the API keys; take that right away with chmod 600");
  }
  logger.warn(
    { file },
    "commands run as the server's user can read the plain keys in this file; write their sha256: digests there instead (yonder key)",
  );
}
