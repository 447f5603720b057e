import { WorkspaceService } from "@yonder/proto";
import { InstanceChanged } from "../errors.ts";
import { toServerInfo } from "../server-info.ts";
import type { ServerInfo } from "../server-info.ts";
import type { Connection } from "./connection.ts";

/**
 * Asks who answers, and means that workspace from then on. A server that nobody answers for is not waited for: an
 * address that is wrong is told at once.
 */
export async function firstContact(connection: Connection, connectMs: number): Promise<ServerInfo> {
  const retry = { maxElapsedMs: connectMs, initialDelayMs: 50, maxDelayMs: 1_000 };
  const options = { timeoutMs: connectMs, retry, waitForServer: false };
  const info = toServerInfo(await connection.call(WorkspaceService.method.getInfo, {}, options));
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
