import type { Limits } from "../util/limits.ts";
import { Exec, type ExecIdentity } from "./exec.ts";
import { ExecRun, type ExecRunOptions } from "./exec-run.ts";
import { Journal } from "./journal/journal.ts";
import type { ReadersOptions } from "./readers.ts";
import type { ExecSpec } from "./spec.ts";
import type { StateDirectory } from "./state/state-directory.ts";

interface Place {
  readonly state: StateDirectory;
  readonly limits: Limits;
}

/** What is remembered of a request, and told of it. */
export function execIdentity(start: {
  readonly id: string;
  readonly sequence: number;
  readonly requestHash: string;
  readonly spec: ExecSpec;
  /** The workspace's directory, absolute. */
  readonly workingDirectory: Buffer;
}): ExecIdentity {
  const { id, sequence, requestHash, spec } = start;
  const { program, labels, user, terminal } = spec;
  const workingDirectory = absolutePath(start.workingDirectory, spec.workingDirectory);
  const summary = { program, workingDirectory, labels, user, terminal };
  return { id, sequence, requestHash, startTimeMs: Date.now(), summary };
}

/** Makes the exec of a process that was just started. It must not throw: nobody else owns the process. */
export function runExec(
  start: Place & Omit<ExecRunOptions, "exec" | "journal" | "limits"> & { readonly identity: ExecIdentity },
): Exec {
  const { identity, spec, limits } = start;
  const keepBytes = Math.min(spec.output.keepBytes ?? Infinity, limits.maxJournalBytes);
  const journal = new Journal({ ...journalPlace(start, identity), keepBytes });
  const exec = new Exec({ identity, readers: readersOptions(limits, keepBytes), openJournal: async () => journal });
  void exec.journal();
  exec.run = new ExecRun({ ...start, exec, journal });
  exec.terminalView?.follow(journal);
  return exec;
}

/** What marks an exec's processes in their environment. */
export function execMark(workspaceId: string, sequence: number): string {
  return `${workspaceId}/${sequence}`;
}

export function readersOptions(limits: Limits, keepBytes: number): ReadersOptions {
  return { stallTimeoutMs: limits.readerStallTimeoutMs, reconnectGraceMs: limits.readerReconnectGraceMs, keepBytes };
}

/** Where an exec's journal lies, and how much of it is kept in memory. */
export function journalPlace(
  { state, limits }: Place,
  identity: ExecIdentity,
): { directory: string; name: string; memoryBytes: number } {
  return { directory: state.outputDirectory, name: journalName(identity), memoryBytes: limits.journalMemoryBytes };
}

export function journalName({ sequence }: ExecIdentity): string {
  return String(sequence);
}

function absolutePath(base: Buffer, path: Buffer | undefined): Buffer {
  if (path === undefined) return base;
  return path[0] === "/".charCodeAt(0) ? path : Buffer.concat([base, Buffer.from("/"), path]);
}
