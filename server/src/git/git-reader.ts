import { isUtf8 } from "node:buffer";
import { spawn } from "node:child_process";
import { Aborted, LimitExceeded, Unsupported } from "../util/errors.ts";
import type { Limits } from "../util/limits.ts";
import { RunningTimer } from "../util/running-timer.ts";
import type { GitDirectory } from "./git-directory.ts";
import { readEnvironment, type GitSetting } from "./git-environment.ts";
import { Slots } from "./slots.ts";

export interface GitRead {
  readonly args: readonly string[];
  /** Appended to `args`, byte for byte. */
  readonly paths?: readonly Buffer[];
  readonly directory: GitDirectory;
  readonly stdin?: Buffer;
  readonly settings?: readonly GitSetting[];
  readonly signal?: AbortSignal | undefined;
}

export interface GitOutput {
  readonly stdout: Buffer;
  /** In English, cut after 64 KiB. */
  readonly stderr: string;
  /** 0 for success. A call with paths that are not UTF-8 knows only 0 and 123. */
  readonly exitCode: number;
}

const MOST_STDERR_BYTES = 64 * 1024;

/** Git otherwise goes on upwards where it does not like what it finds. */
const OWN_GIT_DIRECTORY = { GIT_DIR: ".git" };

/** Runs git to read: a few at once, each bounded in time and output and ended with all it started. */
export class GitReader {
  readonly #limits: Limits;
  readonly #slots: Slots;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#slots = new Slots(limits.maxGitReads);
  }

  /** Rejects where git could not be run to its end; an exit code that is not 0 is an answer. */
  run(read: GitRead): Promise<GitOutput> {
    return this.#slots.run(read.signal, () => this.#run(read));
  }

  #run({ args, paths = [], directory, stdin, settings, signal }: GitRead): Promise<GitOutput> {
    const byText = paths.every((path) => isUtf8(path));
    // Node has only text for arguments; xargs takes bytes from its input and hands them on as they are.
    const command = byText ? "git" : "xargs";
    const argv = byText ? [...args, ...paths.map((path) => path.toString("utf8"))] : ["-0", "-x", "git", ...args];
    const input = byText ? stdin : Buffer.concat(paths.flatMap((path) => [path, Buffer.of(0)]));

    return new Promise((resolve, reject) => {
      const child = spawn(command, argv, {
        cwd: directory.cwd,
        env: { ...readEnvironment(settings), ...(directory.isTopLevel ? OWN_GIT_DIRECTORY : {}) },
        stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
        // A group of its own, so that what git started ends with it.
        detached: true,
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let failure: Error | undefined;
      let stdoutBytes = 0;
      let stderrBytes = 0;

      const end = (reason: Error): void => {
        failure ??= reason;
        killGroup(child.pid);
      };
      const timer = new RunningTimer(this.#limits.gitTimeoutMs, () => end(timedOut(args, this.#limits.gitTimeoutMs)));
      const onAbort = (): void => end(signal?.reason as Error);
      signal?.addEventListener("abort", onAbort, { once: true });

      child.stdout?.on("data", (chunk: Buffer) => {
        stdoutBytes += chunk.length;
        if (stdoutBytes > this.#limits.maxGitOutputBytes) return end(tooMuch(args, this.#limits.maxGitOutputBytes));
        stdout.push(chunk);
      });
      child.stderr?.on("data", (chunk: Buffer) => {
        if (stderrBytes < MOST_STDERR_BYTES) stderr.push(chunk);
        stderrBytes += chunk.length;
      });
      // Git may have seen enough before it has read everything.
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
      child.on("error", (error) => (failure ??= startFailure(error)));
      child.on("close", (exitCode) => {
        timer.hold();
        signal?.removeEventListener("abort", onAbort);
        if (failure !== undefined) return reject(failure);
        const text = Buffer.concat(stderr).toString("utf8", 0, MOST_STDERR_BYTES);
        resolve({ stdout: Buffer.concat(stdout, stdoutBytes), stderr: text, exitCode: exitCode ?? -1 });
      });
      if (signal?.aborted === true) onAbort();
    });
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** What it means that a program could not be started. The directory was opened before, so it is the program. */
export function startFailure(error: NodeJS.ErrnoException): Error {
  if (error.code !== "ENOENT") return error;
  return new Unsupported("GIT_NOT_INSTALLED", "There is no git where the server runs", {
    subject: "git",
    remedy: "Install git, for example: apt-get install git",
    cause: error,
  });
}

export function timedOut(args: readonly string[], timeoutMs: number): Aborted {
  const verb = args[0] ?? "git";
  return new Aborted("GIT_TIMED_OUT", `git ${verb} was ended after ${timeoutMs} milliseconds`, { subject: verb });
}

export function tooMuch(args: readonly string[], limit: number): LimitExceeded {
  const verb = args[0] ?? "git";
  return new LimitExceeded("LIMIT_EXCEEDED", `git ${verb} printed more than ${limit} bytes`, {
    subject: verb,
    limit: { name: "max_git_output_bytes", value: limit },
    remedy: "Ask about a smaller directory.",
  });
}
