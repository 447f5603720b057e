import type { Transport } from "@connectrpc/connect";
import type { ApiKey } from "./connection/api-key.ts";
import type { Address } from "./connection/address.ts";
import type { Connection, ConnectionChange } from "./connection/connection.ts";
import type { TlsOptions } from "./connection/dial.ts";
import { openConnection } from "./connection/open-connection.ts";
import type { RetryOptions } from "./connection/retry.ts";
import type { TimeoutOptions } from "./connection/settings.ts";
import type { HttpVersion, Protocol } from "./connection/transports.ts";
import { ConnectedWorkspace } from "./connected-workspace.ts";
import { Unsupported } from "./errors.ts";
import { checkDefaults } from "./exec/known-options.ts";
import type { CommandDefaults } from "./exec/options.ts";
import { onlyKnown } from "./option-rules.ts";
import type { Names } from "./option-rules.ts";
import type { RemoteDescription } from "./workspace.ts";

export interface RemoteWorkspaceOptions {
  /** Where the server is: `http://host:port`, `https://host:port`, or `unix:///path/to/socket`. */
  host: string;
  /**
   * The key that the server wants. A function is asked at the first call, and again once the server no longer takes
   * what it gave, so that keys can change. Default: none.
   */
  apiKey?: ApiKey | undefined;
  /** The directory to work in: absolute, or relative to the server's. Default: the server's. */
  workingDir?: string | undefined;
  /** How calls are put on the wire. Default "grpc"; over HTTP/1.1 "connect". */
  protocol?: Protocol | undefined;
  /** What carries them: "1.1" for proxies that know no HTTP/2 inside. Default "2". */
  httpVersion?: HttpVersion | undefined;
  /** How an `https://` server proves who it is, and this client to it. */
  tls?: TlsOptions | undefined;
  timeouts?: TimeoutOptions | undefined;
  /** How long a lost connection is tried to be had again. */
  retry?: RetryOptions | undefined;
  /**
   * Told when a call or a stream finds the connection lost and tries to have it again, and once it works again: for
   * people who wait. What runs in the workspace is not touched by either.
   */
  onConnectionChange?: ((change: ConnectionChange) => void) | undefined;
  /** What options of commands are where a call gives none. */
  defaults?: CommandDefaults | undefined;
  /** The workspace that is meant: another one at the address is refused with InstanceChanged. Default: any. */
  workspaceId?: string | undefined;
  /** Aborted, it gives up to connect: `connect` rejects with an AbortError. What is connected is not touched by it. */
  signal?: AbortSignal | undefined;
  /**
   * What carries the calls instead of connections of our own to `host`, for runtimes and tests that bring theirs: a
   * transport of @connectrpc/connect. `protocol`, `httpVersion`, `tls` and pings are then its own business.
   */
  transport?: Transport | undefined;
}

const remoteOptions: Names<RemoteWorkspaceOptions> = {
  host: true,
  apiKey: true,
  workingDir: true,
  protocol: true,
  httpVersion: true,
  tls: true,
  timeouts: true,
  retry: true,
  onConnectionChange: true,
  defaults: true,
  workspaceId: true,
  signal: true,
  transport: true,
};

/** A workspace on another machine, or behind another process. */
export class RemoteWorkspace extends ConnectedWorkspace {
  readonly kind = "remote";
  readonly #address: Address;
  readonly #connection: Connection;
  readonly #options: RemoteWorkspaceOptions;

  private constructor(connection: Connection, address: Address, options: RemoteWorkspaceOptions) {
    super(connection, options.workingDir, options.defaults);
    this.#connection = connection;
    this.#address = address;
    this.#options = options;
  }

  /**
   * Connects to a server and learns which workspace it has; from then on only that one is spoken to.
   *
   * Rejects with ConnectionLost where there is no Yonder server (CONNECTION_REFUSED) or it is not trusted
   * (CERTIFICATE_REJECTED), with Authentication where it does not take the key, with InstanceChanged where another
   * workspace answers than `workspaceId`, and with InvalidRequest where an option makes no sense.
   */
  static async connect(options: RemoteWorkspaceOptions): Promise<RemoteWorkspace> {
    onlyKnown(options, remoteOptions);
    checkDefaults(options.defaults);
    const { connection, address } = await openConnection(options);
    return new RemoteWorkspace(connection, address, options);
  }

  /** The address, as it was given, without a trailing "/". */
  get host(): string {
    return this.#address.host;
  }

  async pause(): Promise<void> {
    throw notSupported("pause");
  }

  async resume(): Promise<void> {
    throw notSupported("resume");
  }

  toJSON(): RemoteDescription {
    const { protocol, httpVersion } = this.#options;
    return {
      kind: "remote",
      host: this.host,
      workingDir: this.workingDir,
      workspaceId: this.#connection.workspaceId,
      ...(protocol && { protocol }),
      ...(httpVersion && { httpVersion }),
    };
  }
}

function notSupported(feature: string): Unsupported {
  const message = `RemoteWorkspace does not support ${feature}(): whoever started the server can stop it and start it again`;
  return new Unsupported(message, { reason: "NOT_SUPPORTED", subject: feature, feature });
}
