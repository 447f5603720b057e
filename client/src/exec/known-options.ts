import { onlyKnown } from "../option-rules.ts";
import type { Names } from "../option-rules.ts";
import type {
  CommandDefaults,
  CommandLimits,
  CommandOptions,
  ExecuteCommandOptions,
  SpawnOptions,
  TerminalOptions,
} from "./options.ts";

const forCommands: Names<CommandOptions> = {
  cwd: true,
  env: true,
  cleanEnv: true,
  user: true,
  timeoutMs: true,
  idleTimeoutMs: true,
  killGraceMs: true,
  disconnectGraceMs: true,
  execId: true,
  labels: true,
  limits: true,
  outputLimitBytes: true,
  keepOutputBytes: true,
  terminal: true,
  signal: true,
};

/** Of `executeCommand`. */
export const executeOptions: Names<ExecuteCommandOptions> = {
  ...forCommands,
  stdin: true,
  check: true,
  onStdout: true,
  onStderr: true,
  maxOutputBytes: true,
};

/** Of `spawn`. */
export const spawnOptions: Names<SpawnOptions> = { ...forCommands, stdin: true };

const limits: Names<CommandLimits> = { memoryBytes: true, processes: true, cpuTimeMs: true, openFiles: true };
const terminal: Names<TerminalOptions> = { columns: true, rows: true, type: true };
const defaults: Names<CommandDefaults> = {
  timeoutMs: true,
  idleTimeoutMs: true,
  killGraceMs: true,
  env: true,
  user: true,
  labels: true,
  maxOutputBytes: true,
};

/** Refuses names that are none, in a command's options and in what they hold. */
export function checkNames<T extends CommandOptions>(options: T, known: Names<T>): void {
  onlyKnown(options, known);
  onlyKnown(options.limits ?? {}, limits, "limits.");
  onlyKnown(options.terminal ?? {}, terminal, "terminal.");
}

/** The same of a workspace's defaults. */
export function checkDefaults(given: CommandDefaults | undefined): void {
  onlyKnown(given ?? {}, defaults, "defaults.");
}
