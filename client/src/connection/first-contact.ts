import { WorkspaceService } from "@yonder/proto";
import { InstanceChanged } from "../errors.ts";
import { toServerInfo } from "../server-info.ts";
import type { ServerInfo } from "../server-info.ts";
import type { Address } from "./address.ts";
import type { Connection } from "./connection.ts";
import { wrongAddress } from "./wrong-address.ts";

export interface FirstContactOptions {
  readonly connectMs: number;
  /** Undefined: what carries the calls is not ours, so nothing is known of where they go. */
  readonly address?: Address | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks who answers, and means that workspace from then on. A server that nobody answers for is not waited for: an
 * address that is wrong is told at once, and so is what is at `address` if that is no server of ours.
 */
export async function firstContact(connection: Connection, options: FirstContactOptions): Promise<ServerInfo> {
  const info = toServerInfo(await getInfo(connection, options));
  const { workspaceId, instanceId } = info;
  if (connection.workspaceId !== undefined && connection.workspaceId !== workspaceId) {
    throw new InstanceChanged(`another workspace answers at ${connection.host}: ${workspaceId}`, {
      reason: "INSTANCE_CHANGED",
      subject: connection.host,
      workspaceId,
      instanceId,
    });
  }
  connection.workspaceId = workspaceId;
  connection.peer = {
    workspaceId,
    version: info.version,
    heartbeatMs: info.limits.heartbeatIntervalMs || 10_000,
    platform: info.platform,
    workingDirectory: info.workingDirectory,
  };
  return info;
}

async function getInfo(connection: Connection, { connectMs, address, signal }: FirstContactOptions) {
  const policy = { maxElapsedMs: connectMs, initialDelayMs: 50, maxDelayMs: 1_000 };
  const retry = connection.retry({ retry: policy, waitForServer: false, signal });
  for (;;) {
    try {
      return await connection.attempt(WorkspaceService.method.getInfo, {}, retry, { timeoutMs: connectMs, signal });
    } catch (error) {
      const wrong = address && (await wrongAddress(error, address));
      await retry.after(wrong ?? error);
    }
  }
}
