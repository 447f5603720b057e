import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { ExecRequestSchema } from "@yonder/proto";
import { invalidOption } from "../invalid-option.ts";
import type { Command, CommandDefaults, CommandOptions } from "./options.ts";

const mostKillGraceMs = 60_000;

/** Plain: a message cannot be spread into another. */
export type ExecRequestInit = Exclude<MessageInitShape<typeof ExecRequestSchema>, Message> & { execId: string };

export interface RequestContext {
  /** The workspace's directory, as it was given. Undefined: the server's. */
  readonly workingDir: string | undefined;
  readonly defaults: CommandDefaults;
}

/**
 * What to send for a command. The id is made here, before anything is sent: it is what makes sending it again safe.
 * `timeoutMs` is what holds where neither the options nor the workspace's defaults say.
 */
export function toExecRequest(
  command: Command,
  options: CommandOptions,
  { workingDir, defaults }: RequestContext,
  timeoutMs: number,
): ExecRequestInit {
  const timeout = limitedMs("timeoutMs", options.timeoutMs ?? timeoutMs);
  const idleTimeout = limitedMs("idleTimeoutMs", options.idleTimeoutMs ?? defaults.idleTimeoutMs);
  const grace = options.disconnectGraceMs;
  const disconnectGrace = grace === 0 ? durationFromMs(0) : limitedMs("disconnectGraceMs", grace);
  const killGraceMs = options.killGraceMs ?? defaults.killGraceMs;
  const { terminal, limits } = options;
  return {
    // An empty one too: the server would make one, and no try after it could find it.
    execId: options.execId || crypto.randomUUID(),
    program: toProgram(command),
    workingDirectory: joinDirectory(workingDir, options.cwd),
    environment: toEnvironment(options, defaults),
    user: options.user ?? defaults.user ?? "",
    ...(timeout && { timeout }),
    ...(idleTimeout && { idleTimeout }),
    ...(disconnectGrace && { disconnectGrace }),
    ...(killGraceMs !== undefined && { killGrace: durationFromMs(checkedKillGrace(killGraceMs)) }),
    ...(terminal && {
      terminal: {
        columns: integer("terminal.columns", terminal.columns),
        rows: integer("terminal.rows", terminal.rows),
        terminalType: terminal.type ?? "",
      },
    }),
    labels: { ...defaults.labels, ...options.labels },
    ...(limits && {
      limits: {
        memoryBytes: BigInt(integer("limits.memoryBytes", limits.memoryBytes)),
        processes: BigInt(integer("limits.processes", limits.processes)),
        openFiles: BigInt(integer("limits.openFiles", limits.openFiles)),
        ...(limits.cpuTimeMs && { cpuTime: durationFromMs(checkedMs("limits.cpuTimeMs", limits.cpuTimeMs)) }),
      },
    }),
    output: {
      maxBytes: BigInt(integer("outputLimitBytes", options.outputLimitBytes)),
      keepBytes: BigInt(integer("keepOutputBytes", options.keepOutputBytes)),
    },
  };
}

/** `cwd` relative to the workspace's directory; ".." is left to the server's system, which follows links. */
export function joinDirectory(workingDir: string | undefined, cwd: string | undefined): string {
  if (cwd === undefined || cwd === "") return workingDir ?? "";
  if (cwd.startsWith("/") || workingDir === undefined || workingDir === "") return cwd;
  return workingDir.endsWith("/") ? workingDir + cwd : `${workingDir}/${cwd}`;
}

/** A wait in milliseconds, where 0 and Infinity mean none. */
export function limitedMs(option: string, ms: number | undefined): Duration | undefined {
  if (ms === undefined || ms === 0 || ms === Infinity) return undefined;
  return durationFromMs(checkedMs(option, ms));
}

export function integer(option: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidOption(option, `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, got ${value}`);
}

/** The contract's range: more is refused here by the option's name. */
export function checkedKillGrace(ms: number): number {
  if (typeof ms === "number" && ms >= 0 && ms <= mostKillGraceMs) return Math.ceil(ms);
  throw invalidOption("killGraceMs", `must be 0 to ${mostKillGraceMs} milliseconds, got ${ms}`);
}

function checkedMs(option: string, ms: number): number {
  // A fraction is rounded up, so that the least of timeouts is not taken for none.
  if (typeof ms === "number" && ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return Math.ceil(ms);
  throw invalidOption(option, `must be 0 to ${Number.MAX_SAFE_INTEGER} milliseconds, got ${ms}`);
}

function toProgram(command: Command): NonNullable<ExecRequestInit["program"]> {
  if (typeof command === "string") return { case: "command", value: command };
  if (Array.isArray(command) && command.every((value) => typeof value === "string")) {
    return { case: "args", value: { values: [...command] } };
  }
  throw invalidOption("command", `must be a string or a list of strings, got ${JSON.stringify(command)}`);
}

function toEnvironment(options: CommandOptions, defaults: CommandDefaults) {
  const variables: Record<string, string> = {};
  const unset: string[] = [];
  for (const [name, value] of Object.entries({ ...defaults.env, ...options.env })) {
    if (value === undefined) unset.push(name);
    else if (typeof value === "string") variables[name] = value;
    else throw invalidOption(`env.${name}`, `must be a string, got ${JSON.stringify(value)}`);
  }
  return { variables, unset, clean: options.cleanEnv ?? false };
}
