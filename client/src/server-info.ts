import type { Duration } from "@bufbuild/protobuf/wkt";
import { FeatureSchema, LimitsSchema } from "@yonder/proto";
import type { Feature, GetInfoResponse, Limits } from "@yonder/proto";
import { durationToMs, enumName, timestampToDate } from "./connection/wire-values.ts";
import { toServerDiagnosis } from "./server-diagnosis.ts";
import type { ServerDiagnosis } from "./server-diagnosis.ts";

/** Something that a server has on one machine and lacks on another. */
export type ServerFeature = Exclude<keyof typeof Feature, "UNSPECIFIED">;

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
  /** What its clock said. Undefined: it is too old to tell. */
  readonly currentTime: Date | undefined;
  /** What it found on its machine. Undefined unless asked for with `diagnose`, or where it is too old to tell. */
  readonly diagnosis: ServerDiagnosis | undefined;
}

export interface ServerInfoOptions {
  /** Let the server look at its machine too, which takes it up to 5 s. Default false. */
  diagnose?: boolean | undefined;
}

/** The limits in force, under their names in the contract; durations in milliseconds. See docs/server.md. */
export type ServerLimits = {
  readonly [Name in LimitName as Limits[Name] extends Duration | undefined ? `${Name}Ms` : Name]: number;
};

type LimitName = Exclude<keyof Limits, `$${string}`>;

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
    currentTime: timestampToDate(info.currentTime),
    diagnosis: info.diagnosis && toServerDiagnosis(info.diagnosis),
  };
}

/** By the contract's own description, so that no limit is forgotten. */
function toServerLimits(limits: Limits | undefined): ServerLimits {
  const entries = LimitsSchema.fields.map(({ fieldKind, localName }) => {
    const value = limits?.[localName as LimitName];
    return fieldKind === "message"
      ? [`${localName}Ms`, durationToMs(value as Duration | undefined) ?? 0]
      : [localName, Number(value ?? 0)];
  });
  return Object.fromEntries(entries) as ServerLimits;
}
