import { FeatureSchema } from "@yonder/proto";
import type { GetInfoResponse, Limits } from "@yonder/proto";
import { durationToMs, enumName, timestampToDate } from "./connection/wire-values.ts";

/** Something that a server has on one machine and lacks on another. */
export type ServerFeature =
  | "TERMINAL"
  | "USER_SWITCH"
  | "CONTROL_GROUP"
  | "MEMORY_LIMIT"
  | "PROCESS_LIMIT"
  | "CPU_TIME_LIMIT"
  | "OPEN_FILES_LIMIT";

/** What answers at a workspace's address. */
export interface ServerInfo {
  /** The same for as long as the workspace's state lives, over restarts of its server. */
  readonly workspaceId: string;
  /** A new one at every start of the server. */
  readonly instanceId: string;
  readonly version: string;
  /** What it has beyond what every server has. One that this client does not know is left out. */
  readonly features: readonly ServerFeature[];
  /** The directory of the server's workspace, absolute. */
  readonly workingDirectory: string;
  readonly limits: ServerLimits;
  /** The labels it was started with. */
  readonly labels: Readonly<Record<string, string>>;
  readonly uptimeMs: number;
  /** When it last did something for a client. */
  readonly lastActivityTime: Date | undefined;
  readonly runningExecs: number;
  /** The operating system and the processor, as Node names them: "linux", "x64". */
  readonly platform: string;
  readonly architecture: string;
  /** What it could not have on its machine and what to do about it, a sentence each. */
  readonly notices: readonly string[];
}

/** The limits in force, under their names in the contract; durations in milliseconds. See docs/server.md. */
export interface ServerLimits {
  readonly maxRunningExecs: number;
  readonly maxEndedExecs: number;
  readonly execRetentionMs: number;
  readonly maxRememberedIds: number;
  readonly maxReaders: number;
  readonly maxMessageBytes: number;
  readonly journalMemoryBytes: number;
  readonly maxJournalBytes: number;
  readonly maxTotalJournalBytes: number;
  readonly readerStallTimeoutMs: number;
  readonly readerReconnectGraceMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxWaitMs: number;
  readonly maxTimeoutMs: number;
  readonly stdinBufferBytes: number;
  readonly maxLabels: number;
  readonly maxLabelBytes: number;
  readonly maxPageSize: number;
  readonly maxReadBytes: number;
  readonly requestRetentionMs: number;
  readonly maxRememberedRequests: number;
}

export function toServerInfo(info: GetInfoResponse): ServerInfo {
  return {
    workspaceId: info.workspaceId,
    instanceId: info.instanceId,
    version: info.version,
    features: info.features.flatMap((feature) => (enumName(FeatureSchema, feature) as ServerFeature | undefined) ?? []),
    workingDirectory: info.workingDirectory,
    limits: toServerLimits(info.limits),
    labels: info.labels,
    uptimeMs: durationToMs(info.uptime) ?? 0,
    lastActivityTime: timestampToDate(info.lastActivityTime),
    runningExecs: info.runningExecs,
    platform: info.platform,
    architecture: info.architecture,
    notices: info.notices,
  };
}

function toServerLimits(limits: Limits | undefined): ServerLimits {
  return {
    maxRunningExecs: limits?.maxRunningExecs ?? 0,
    maxEndedExecs: limits?.maxEndedExecs ?? 0,
    execRetentionMs: durationToMs(limits?.execRetention) ?? 0,
    maxRememberedIds: limits?.maxRememberedIds ?? 0,
    maxReaders: limits?.maxReaders ?? 0,
    maxMessageBytes: limits?.maxMessageBytes ?? 0,
    journalMemoryBytes: Number(limits?.journalMemoryBytes ?? 0),
    maxJournalBytes: Number(limits?.maxJournalBytes ?? 0),
    maxTotalJournalBytes: Number(limits?.maxTotalJournalBytes ?? 0),
    readerStallTimeoutMs: durationToMs(limits?.readerStallTimeout) ?? 0,
    readerReconnectGraceMs: durationToMs(limits?.readerReconnectGrace) ?? 0,
    heartbeatIntervalMs: durationToMs(limits?.heartbeatInterval) ?? 0,
    maxWaitMs: durationToMs(limits?.maxWait) ?? 0,
    maxTimeoutMs: durationToMs(limits?.maxTimeout) ?? 0,
    stdinBufferBytes: Number(limits?.stdinBufferBytes ?? 0),
    maxLabels: limits?.maxLabels ?? 0,
    maxLabelBytes: limits?.maxLabelBytes ?? 0,
    maxPageSize: limits?.maxPageSize ?? 0,
    maxReadBytes: limits?.maxReadBytes ?? 0,
    requestRetentionMs: durationToMs(limits?.requestRetention) ?? 0,
    maxRememberedRequests: limits?.maxRememberedRequests ?? 0,
  };
}
