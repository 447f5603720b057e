import type { Transport } from "@connectrpc/connect";
import { parseAddress } from "./address.ts";
import type { Address } from "./address.ts";
import type { ApiKey } from "./api-key.ts";
import { Connection } from "./connection.ts";
import type { ConnectionChange } from "./connection.ts";
import type { TlsOptions } from "./dial.ts";
import { firstContact } from "./first-contact.ts";
import type { Diagnosis } from "./retry.ts";
import type { Shortcut } from "./shortcut.ts";
import { readSettings } from "./settings.ts";
import type { SettingsOptions } from "./settings.ts";
import { checkTls } from "./trust.ts";
import { openTransports } from "./transports.ts";
import type { Transports } from "./transports.ts";

/** Of a workspace's options, those that are the connection's. `RemoteWorkspaceOptions` says what each means. */
export interface OpenConnectionOptions extends SettingsOptions {
  readonly host: string;
  readonly shortcut?: Shortcut | undefined;
  readonly apiKey?: ApiKey | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly workspaceId?: string | undefined;
  readonly transport?: Transport | undefined;
  readonly onConnectionChange?: ((change: ConnectionChange) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly diagnose?: (() => Promise<Diagnosis | undefined>) | undefined;
}

/** Connects to a server and learns which workspace it has. A server that nobody answers for is not waited for. */
export async function openConnection(
  options: OpenConnectionOptions,
): Promise<{ readonly connection: Connection; readonly address: Address }> {
  const address = { ...parseAddress(options.host), shortcut: options.shortcut };
  const { protocol, httpVersion, timeouts, retry } = readSettings(options);
  checkTls(options.tls);
  const { connectMs, callMs, pingIntervalMs, pingTimeoutMs } = timeouts;
  const wire = { address, tls: options.tls, connectMs, protocol, httpVersion, pingIntervalMs, pingTimeoutMs };
  const connection = new Connection({
    host: address.host,
    open: () => (options.transport ? broughtAlong(options.transport) : openTransports(wire)),
    apiKey: options.apiKey,
    callMs,
    retry,
    onChange: options.onConnectionChange,
    diagnose: options.diagnose,
  });
  connection.workspaceId = options.workspaceId;
  try {
    const { transport, signal } = options;
    await firstContact(connection, { connectMs, address: transport ? undefined : address, signal });
  } catch (error) {
    connection.close();
    throw error;
  }
  return { connection, address };
}

function broughtAlong(transport: Transport): Transports {
  return { calls: transport, streams: transport, abort: () => {} };
}
