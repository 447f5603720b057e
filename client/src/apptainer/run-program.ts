import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { AbortError, Unavailable } from "../errors.ts";

export interface RunOptions {
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface RunResult {
  /** Undefined where it was ended by a signal, ours at the end of its time included. */
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly stdout: string;
  /** The last lines of what it says on its way. */
  readonly lines: readonly string[];
}

/** Of each stream, of what is kept. */
const longestOutput = 1024 * 1024;
const keptLines = 20;
const longestLine = 500;
const graceMs = 5_000;

/** Runs Apptainer or a program of the system to its end. Rejects where it is not there, or `signal` is aborted. */
export async function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { signal, timeoutMs, onLine } = options;
  if (signal?.aborted) throw aborted(program, signal);
  const child = spawn(program, args, {
    // A group of its own, so that what it started is ended with it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...ownEnvironment(), ...options.env },
  });
  let timedOut = false;
  const end = () => endGroup(child.pid);
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, timeoutMs);
  signal?.addEventListener("abort", end, { once: true });
  const lines: string[] = [];
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (stdout.length < longestOutput) stdout += text;
  });
  createInterface(child.stderr).on("line", (line) => {
    const plain = withoutColour(line).slice(0, longestLine);
    // Neither empty lines nor the steps of a progress bar.
    if (plain.trim() === "" || /^\[[=|\\/ -]+\]/.test(plain)) return;
    lines.push(plain);
    if (lines.length > keptLines) lines.shift();
    onLine?.(plain);
  });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (signal?.aborted) throw aborted(program, signal);
    return { exitCode: exitCode ?? undefined, timedOut, stdout, lines };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EACCES") throw error;
    throw new Unavailable(`${program} cannot be run here: there is no such program (${code})`, {
      reason: "ENGINE_MISSING",
      subject: program,
      remedy: `install it, or say where it is: PATH is ${process.env["PATH"] ?? "empty"}`,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

/** This process's environment without the keys and settings that are ours and those of what started us. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const withheld = /^(YONDER_|OH_|SESSION_API_KEY$|AUTOMATION_CALLBACK_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !withheld.test(name)));
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  signalGroup(pid, "SIGTERM");
  setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs).unref();
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left.
  }
}

function withoutColour(line: string): string {
  // oxlint-disable-next-line no-control-regex -- what a terminal's colours are
  return line.replace(/\u001b\[[\d;]*m/g, "");
}

function aborted(program: string, signal: AbortSignal): AbortError {
  return new AbortError(`${program} was aborted`, { cause: signal.reason, subject: program });
}
