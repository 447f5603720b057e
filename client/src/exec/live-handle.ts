import { ExecService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { AbortError, InvalidRequest } from "../errors.ts";
import { defaultKillGraceMs, endTree, sendSignal } from "./end-tree.ts";
import type { KillTarget } from "./end-tree.ts";
import type { ExecEvent, ReadOptions, StreamName } from "./events.ts";
import { follow } from "./follow.ts";
import { toExecInfo } from "./from-wire.ts";
import type { RawEvent } from "./from-wire.ts";
import type { ExecHandle, OutputReader, TerminalSize } from "./handle.ts";
import { decodedEvents, eachTime, linesOf, StreamReader } from "./output-readers.ts";
import type { OpenReader } from "./output-readers.ts";
import { readOutput } from "./read-output.ts";
import type { OutputOptions, OutputPart } from "./read-output.ts";
import type { ExecEnd, ExecInfo } from "./results.ts";
import { StdinWriter } from "./stdin-writer.ts";
import type { ExecStdin } from "./stdin-writer.ts";
import { waitForEnd } from "./wait-for-end.ts";

export interface LiveHandleOptions {
  /** The command as the server knew it when the handle was made. */
  readonly info: ExecInfo;
  /** Where readers begin that do not say where. */
  readonly from: number | "default";
  readonly killGraceMs: number | undefined;
}

export class LiveExecHandle implements ExecHandle {
  readonly execId: string;
  readonly pid: number;
  readonly stdout: OutputReader;
  readonly stderr: OutputReader;
  readonly stdin: ExecStdin;
  readonly #connection: Connection;
  readonly #options: LiveHandleOptions;
  #end: ExecEnd | undefined;
  #detached = false;
  /** The signal that ended it, if one did. */
  #aborted: AbortSignal | undefined;
  #forgetSignal: () => void = () => {};
  /** The readers that are open, the newest last: the terminal's size is theirs. */
  readonly #readerIds = new Set<string>();

  constructor(connection: Connection, options: LiveHandleOptions) {
    const { info } = options;
    this.#connection = connection;
    this.#options = options;
    this.#end = info.end;
    this.execId = info.execId;
    this.pid = info.pid;
    this.stdin = new StdinWriter(connection, info.execId, info.stdinOffset);
    const open: OpenReader = (read, how) => this.#read(read, how);
    this.stdout = new StreamReader(open, "stdout");
    this.stderr = new StreamReader(open, "stderr");
  }

  events(options: ReadOptions = {}): AsyncIterable<ExecEvent> {
    return eachTime(() => decodedEvents(this.#read(options)));
  }

  lines(options: ReadOptions & { stream?: StreamName | undefined } = {}): AsyncIterable<string> {
    return eachTime(() => linesOf((read, how) => this.#read(read, how), options));
  }

  output(options: OutputOptions = {}): Promise<OutputPart> {
    return readOutput(this.#connection, this.execId, options);
  }

  async kill(signal = "SIGTERM", options: { target?: KillTarget | undefined } = {}): Promise<number> {
    const reached = await sendSignal(this.#connection, this.execId, signal, options.target ?? "tree");
    if (reached !== "ended") return reached;
    this.#forgetSignal();
    return 0;
  }

  async resize(
    columns: number,
    rows: number,
    options: { takeOwnership?: boolean | undefined } = {},
  ): Promise<TerminalSize> {
    const readerId = [...this.#readerIds].at(-1) ?? "";
    const request = { execId: this.execId, columns, rows, readerId, takeOwnership: options.takeOwnership ?? false };
    const reply = await this.#connection.call(ExecService.method.resizeTerminal, request);
    return { columns: reply.columns, rows: reply.rows, applied: reply.applied };
  }

  async wait(options: { signal?: AbortSignal | undefined } = {}): Promise<ExecEnd> {
    const end = this.#end ?? (await this.#waitForEnd(options));
    if (!this.#aborted) return end;
    const { reason: cause } = this.#aborted;
    throw new AbortError(`Command was aborted: ${this.execId}`, { cause, subject: this.execId, end });
  }

  /** Ends the command when `signal` is aborted, unless it has ended by then. */
  endOn(signal: AbortSignal): void {
    if (this.#end) return;
    const { closed } = this.#connection;
    const onAbort = () => {
      this.#forgetSignal();
      this.#aborted = signal;
      // Whoever waits is told when it has ended; where that cannot be had, their wait ends with its own error.
      this.#endTree().catch(() => {});
    };
    // A signal may outlive many commands, and many workspaces.
    this.#forgetSignal = () => {
      signal.removeEventListener("abort", onAbort);
      closed.removeEventListener("abort", this.#forgetSignal);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    closed.addEventListener("abort", this.#forgetSignal, { once: true });
  }

  info(): Promise<ExecInfo> {
    return this.#info();
  }

  detach(): void {
    this.#detached = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#detached || this.#end) return;
    await this.#endTree();
    this.#forgetSignal();
  }

  #endTree(): Promise<void> {
    return endTree(this.#connection, this.execId, this.#options.killGraceMs ?? defaultKillGraceMs);
  }

  async #info(signal?: AbortSignal): Promise<ExecInfo> {
    const subject = { execId: this.execId, mayHaveRun: true };
    const request = { execId: this.execId };
    const { exec } = await this.#connection.call(ExecService.method.getExec, request, { signal, subject });
    const info = exec ? toExecInfo(exec, this.#connection.peer?.platform ?? "") : this.#options.info;
    if (info.end) this.#hasEnded(info.end);
    return info;
  }

  async #waitForEnd(options: { signal?: AbortSignal | undefined }): Promise<ExecEnd> {
    for (;;) {
      const end = await waitForEnd(this.#connection, this.execId, options);
      if (end) return this.#hasEnded(end);
    }
  }

  #hasEnded(end: ExecEnd): ExecEnd {
    this.#forgetSignal();
    return (this.#end ??= end);
  }

  async *#read(options: ReadOptions, how?: { readonly inTurn: boolean }): AsyncGenerator<RawEvent> {
    const readerId = crypto.randomUUID();
    const target = { execId: this.execId, from: await this.#start(options), readerId };
    this.#readerIds.add(readerId);
    try {
      for await (const event of follow(this.#connection, target, options.signal, how)) {
        if (event.type === "ended") {
          const { type: _type, ...end } = event;
          this.#hasEnded(end);
        }
        yield event;
      }
    } finally {
      this.#readerIds.delete(readerId);
    }
  }

  /** A cursor wherever one can be had: from then on no cut can lose a byte, even one before the first event. */
  async #start({ cursor, tail, live, screen, signal }: ReadOptions): Promise<number | "screen" | "default"> {
    if ([cursor, tail, live || undefined, screen || undefined].filter((each) => each !== undefined).length > 1) {
      throw new InvalidRequest("at most one of cursor, tail, live and screen may be set", {
        reason: "INVALID_FIELD",
        subject: "cursor",
      });
    }
    if (screen) return "screen";
    if (tail !== undefined || live) {
      const { beginCursor, endCursor } = await this.#info(signal);
      return Math.max(beginCursor, endCursor - (tail ?? 0));
    }
    return cursor ?? this.#options.from;
  }
}
