import type { Connection } from "../connection/connection.ts";
import { throwIfAborted } from "../connection/retry.ts";
import { AbortError, CommandFailed } from "../errors.ts";
import { defaultKillGraceMs, endTree } from "./end-tree.ts";
import { follow } from "./follow.ts";
import type { FollowTarget } from "./follow.ts";
import type { RawEvent } from "./from-wire.ts";
import { checkNames, executeOptions } from "./known-options.ts";
import type { Command, ExecuteCommandOptions } from "./options.ts";
import { OutputSink } from "./output-sink.ts";
import { commandLine } from "./quote.ts";
import type { CommandResult, ExecEnd } from "./results.ts";
import { feedStdin, splitStdin } from "./stdin-feed.ts";
import type { StdinSource } from "./stdin-feed.ts";
import { StdinWriter } from "./stdin-writer.ts";
import { integer, toExecRequest } from "./to-wire.ts";
import type { RequestContext } from "./to-wire.ts";

const defaultTimeoutMs = 30_000;
const defaultMaxOutputBytes = 32 << 20;
/** How long the end of a command that is being ended is waited for, beside its grace. */
const patienceMs = 20_000;

/** Runs a command to its end and says what became of it. */
export async function executeCommand(
  connection: Connection,
  context: RequestContext,
  command: Command,
  options: ExecuteCommandOptions = {},
): Promise<CommandResult> {
  checkNames(options, executeOptions);
  throwIfAborted(options.signal);
  const result = await new Run(connection, context, command, options).finish(options.signal);
  if (options.check && (result.reason !== "EXITED" || result.exitCode !== 0)) {
    throw new CommandFailed(failureMessage(result), result);
  }
  return result;
}

class Run {
  readonly #connection: Connection;
  readonly #command: string;
  readonly #target: FollowTarget;
  readonly #stdin: { offset: number; rest: Exclude<StdinSource, string> | undefined };
  readonly #stdout: OutputSink;
  readonly #stderr: OutputSink;
  readonly #killGraceMs: number;
  /** Ends the reading when aborted. */
  readonly #reading = new AbortController();
  /** Aborted once nothing more goes to its standard input. */
  readonly #over = new AbortController();
  #started = false;
  #end: ExecEnd | undefined;
  /** Why the command is ended by this client. */
  #stop: { readonly error: unknown; readonly timer: NodeJS.Timeout } | undefined;
  /** Settles once nothing of the command is left, if it is ended by this client. */
  #treeEnded: Promise<void> | undefined;

  constructor(connection: Connection, context: RequestContext, command: Command, options: ExecuteCommandOptions) {
    const { defaults } = context;
    const request = toExecRequest(command, options, context, defaults.timeoutMs ?? defaultTimeoutMs);
    const { first, rest } = splitStdin(options.stdin);
    const maxBytes = integer(
      "maxOutputBytes",
      options.maxOutputBytes ?? defaults.maxOutputBytes ?? defaultMaxOutputBytes,
    );
    this.#connection = connection;
    this.#command = commandLine(command);
    this.#target = {
      execId: request.execId,
      request: { ...request, ...(first && { stdin: first }) },
      from: 0,
      readerId: crypto.randomUUID(),
    };
    this.#stdin = { offset: first?.data.length ?? 0, rest };
    this.#stdout = new OutputSink(maxBytes, options.onStdout);
    this.#stderr = new OutputSink(maxBytes, options.onStderr);
    this.#killGraceMs = options.killGraceMs ?? defaults.killGraceMs ?? defaultKillGraceMs;
  }

  async finish(signal: AbortSignal | undefined): Promise<CommandResult> {
    const onAbort = () => this.#endBecause(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      // What is kept of the bytes is copied.
      const events = follow(this.#connection, this.#target, this.#reading.signal, { inTurn: true });
      for await (const event of events) await this.#take(event);
    } catch (error) {
      // Once the command is being ended, that is what the caller is told; a lost connection is not.
      if (!this.#stop) throw error;
    } finally {
      if (this.#stdin.rest) this.#over.abort();
      if (this.#treeEnded) await this.#treeEnded;
      signal?.removeEventListener("abort", onAbort);
      clearTimeout(this.#stop?.timer);
    }
    if (!this.#stop) return this.#result();
    if (!signal?.aborted) throw this.#stop.error;
    const result = this.#started ? this.#result() : undefined;
    throw new AbortError(`Command was aborted: ${this.#command}`, {
      cause: signal.reason,
      subject: this.#command,
      result,
      end: this.#end,
    });
  }

  async #take(event: RawEvent): Promise<void> {
    try {
      switch (event.type) {
        case "started":
          this.#started = true;
          if (this.#stop) this.#treeEnded = this.#endTree();
          else this.#feed();
          break;
        case "output":
          await (event.stream === "stderr" ? this.#stderr : this.#stdout).push(event.bytes);
          break;
        case "lost":
          await this.#stdout.skip(event.stdoutBytes);
          await this.#stderr.skip(event.stderrBytes);
          break;
        case "screen":
          break;
        case "ended":
          this.#end = event;
          await this.#stdout.flush();
          await this.#stderr.flush();
          break;
      }
    } catch (error) {
      this.#endBecause(error);
    }
  }

  #feed(): void {
    if (!this.#stdin.rest) return;
    const writer = new StdinWriter(this.#connection, this.#target.execId, this.#stdin.offset);
    feedStdin(writer, this.#stdin.rest, this.#over.signal).catch((error: unknown) => {
      if (!this.#end) this.#endBecause(error);
    });
  }

  /** Ends the command; what it has printed is still read. */
  #endBecause(error: unknown): void {
    if (this.#stop) return;
    const timer = setTimeout(() => this.#reading.abort(), this.#killGraceMs + patienceMs);
    this.#stop = { error, timer };
    this.#stdout.mute();
    this.#stderr.mute();
    // From here on it is only looked for, or a request that was lost would start it now.
    this.#target.request = undefined;
    if (this.#started && !this.#end) this.#treeEnded = this.#endTree();
  }

  async #endTree(): Promise<void> {
    try {
      await endTree(this.#connection, this.#target.execId, this.#killGraceMs);
    } catch {
      this.#reading.abort();
    }
  }

  #result(): CommandResult {
    const [stdout, stderr] = [this.#stdout.read(), this.#stderr.read()];
    const isCut = stdout.leftOut > 0 || stderr.leftOut > 0;
    const result = {
      command: this.#command,
      exitCode: this.#end?.exitCode ?? -1,
      stdout: stdout.text,
      stderr: stderr.text,
      timeoutOccurred: this.#end?.timeoutOccurred ?? false,
      reason: this.#end?.reason ?? "UNKNOWN",
      signal: this.#end?.signal,
      durationMs: this.#end?.durationMs ?? 0,
      truncated: isCut ? { stdout: stdout.leftOut, stderr: stderr.leftOut } : undefined,
      execId: this.#target.execId,
    };
    // Not enumerable: a result that is logged or put into JSON would have all of it twice, once as numbers.
    return Object.defineProperties(result, {
      stdoutBytes: { value: stdout.bytes },
      stderrBytes: { value: stderr.bytes },
    }) as CommandResult;
  }
}

/** What happened, then the end of what it complained about. */
function failureMessage({ reason, exitCode, signal, durationMs, command, stderr }: CommandResult): string {
  const what =
    reason === "EXITED"
      ? `failed with exit code ${exitCode}`
      : reason === "TIMED_OUT"
        ? `timed out after ${Math.round(durationMs)} ms`
        : reason === "IDLE_TIMED_OUT"
          ? "timed out since it printed nothing"
          : `ended with ${reason}${signal ? ` (${signal})` : ""}`;
  const complaint = stderr.trimEnd().slice(-1_000);
  return `Command ${what}: ${command}${complaint && `\n${complaint}`}`;
}
