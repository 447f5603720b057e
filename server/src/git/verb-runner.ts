import { randomUUID } from "node:crypto";
import { simpleGit, type SimpleGitOptions } from "simple-git";
import { MARK_VARIABLE } from "../exec/process/environment.ts";
import { RunningTimer } from "../util/running-timer.ts";
import { endMarked } from "./end-marked.ts";
import { verbEnvironment, type GitSetting } from "./git-environment.ts";
import type { GitDirectory } from "./git-directory.ts";
import { startFailure, timedOut, tooMuch } from "./git-reader.ts";
import { createProgressReader, type Progress } from "./progress.ts";

export interface Verb {
  readonly args: readonly string[];
  readonly directory: GitDirectory;
  readonly stdin?: Buffer;
  readonly settings?: readonly GitSetting[];
  readonly variables?: Readonly<Record<string, string>>;
  /** Whether the repository's hooks run. */
  readonly runHooks: boolean;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface VerbOutput {
  readonly stdout: string;
  /** The last of it. */
  readonly stderr: string;
  readonly exitCode: number;
}

const NO_HOOKS: GitSetting = ["core.hooksPath", "/dev/null"];
/** What git has between SIGTERM, at which it clears away what it was making, and SIGKILL. */
const GRACE_MS = 5_000;
const MOST_STDERR = 64 * 1024;

/** simple-git guards these since users of an application may reach them; here each is ours and none is a caller's. */
const OURS = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeHooksPath: true,
  allowUnsafePager: true,
  allowUnsafeSshCommand: true,
} satisfies SimpleGitOptions["unsafe"];

/**
 * Runs git to act, through simple-git. It is ended with all that it started when the signal aborts, the time is over, or
 * it prints too much: then this rejects. An exit code that is not 0 is an answer.
 */
export async function runVerb(verb: Verb): Promise<VerbOutput> {
  const mark = `git-${randomUUID()}`;
  const settings = [...(verb.runHooks ? [] : [NO_HOOKS]), ...(verb.settings ?? [])];
  const environment = { ...verbEnvironment(settings, verb.variables ?? {}), [MARK_VARIABLE]: mark };
  const stdin = verb.stdin ?? Buffer.alloc(0);
  let failed: { exitCode: number; stdout: string } | undefined;
  let stderr = "";
  let printed = 0;
  let failure: Error | undefined;
  const abort = new AbortController();
  let ending: Promise<void> | undefined;

  const end = (reason: Error): void => {
    failure ??= reason;
    ending ??= endMarked(mark, GRACE_MS).then((isLooked) => {
      // simple-git ends git alone, and git most of what it started.
      if (!isLooked) abort.abort();
    });
  };
  const onAbort = (): void => end(verb.signal?.reason as Error);
  verb.signal?.throwIfAborted();
  verb.signal?.addEventListener("abort", onAbort, { once: true });
  const timer = new RunningTimer(verb.timeoutMs, () => end(timedOut(verb.args, verb.timeoutMs)));
  const readProgress = verb.onProgress === undefined ? undefined : createProgressReader(verb.onProgress);
  const count = (chunk: Buffer): void => {
    printed += chunk.length;
    if (printed > verb.maxOutputBytes) end(tooMuch(verb.args, verb.maxOutputBytes));
  };

  const git = simpleGit({
    baseDir: verb.directory.cwd,
    abort: abort.signal,
    unsafe: OURS,
    allowEnvironment: Object.keys(environment),
    // simple-git would take an exit code without a word on standard error for success.
    errors(_, { exitCode, stdOut, stdErr }) {
      failed = { exitCode, stdout: Buffer.concat(stdOut).toString("utf8") };
      // A program that could not be started has a negative code, and the error's text there.
      return exitCode === 0 ? undefined : new Error(Buffer.concat(stdErr).toString("utf8"));
    },
    // Nothing, where there is nothing: a hook that reads would wait for ever.
    input: () => stdin,
  })
    .env(environment)
    .outputHandler((_command, stdoutStream, stderrStream) => {
      stdoutStream.on("data", count);
      stderrStream.on("data", (chunk: Buffer) => {
        count(chunk);
        stderr = (stderr + chunk.toString("utf8")).slice(-MOST_STDERR);
        readProgress?.(chunk);
      });
    });

  try {
    const stdout = await git.raw([...verb.args]);
    if (failure === undefined) return { stdout, stderr, exitCode: 0 };
  } catch (error) {
    if (failure === undefined && failed !== undefined && failed.exitCode > 0) return { ...failed, stderr };
    failure ??= asStartFailure(error);
  } finally {
    timer.hold();
    verb.signal?.removeEventListener("abort", onAbort);
    await ending;
  }
  throw failure;
}

function asStartFailure(error: unknown): Error {
  const failure = error instanceof Error ? error : new Error(String(error));
  const isMissing = failure.message.includes("spawn git ENOENT");
  return isMissing ? startFailure(Object.assign(failure, { code: "ENOENT" })) : failure;
}
