import type { ConnectionChange, ExecHandle, ReadOptions } from "@yonder/client";
import { ownFailure } from "../frame/exits.ts";
import { describeError, isYonderError } from "../frame/failure.ts";
import { onBrokenPipe, write } from "../output/write.ts";
import { nobodyReads } from "./follow-piped.ts";
import { EscapeKeys } from "./escape-keys.ts";
import { exitCodeOf, remarkOn } from "./exit-code.ts";
import { whatMayRunOn, whatRunsOn } from "./come-back.ts";
import { RawTerminal } from "./raw-terminal.ts";

/** Nothing is read from the keyboard while so much of it waits for a connection. */
const mostTypedBytes = 1 << 20;
/** A connection that is back by then was never missed. */
const noticeAfterMs = 1_000;

export interface TerminalSessionOptions {
  /** What the first bytes are: all that was printed, or the screen as it stands. */
  readonly from: ReadOptions;
  /** The escape character. Undefined: none. */
  readonly escape: string | undefined;
}

/** A terminal of the workspace on this one. */
export class TerminalSession {
  readonly #handle: ExecHandle;
  readonly #options: TerminalSessionOptions;
  readonly #keys: EscapeKeys;
  readonly #terminal = new RawTerminal();
  /** Ends when this session does, whatever the command does. */
  readonly #left = Promise.withResolvers<number>();
  /** Aborted to read anew, beginning with the screen. */
  #reading = new AbortController();
  #notice: NodeJS.Timeout | undefined;
  #isNoticeShown = false;
  #typedBytes = 0;

  constructor(handle: ExecHandle, options: TerminalSessionOptions) {
    this.#handle = handle;
    this.#options = options;
    this.#keys = new EscapeKeys(options.escape);
  }

  /** Resolves to what to exit with, once the command has ended or was left. */
  async run(): Promise<number> {
    const onTyped = (chunk: Buffer) => this.#take(chunk);
    const onEnd = () => {
      if (stdin.isTTY) onHangUp();
      else this.#handle.stdin.end().catch(() => {});
    };
    const onResize = () => this.#resize();
    const onHangUp = () => void this.#hangUp();
    const onTerminate = () => this.#leave(`ended by SIGTERM; ${whatRunsOn(this.#handle.execId)}`, ownFailure);
    const onInterrupt = (signal: NodeJS.Signals) => void this.#handle.kill(signal, { target: "group" }).catch(() => {});
    const { stdin, stdout } = process;
    onBrokenPipe(onHangUp, whatMayRunOn(this.#handle.execId));
    stdin.on("data", onTyped).on("end", onEnd).on("error", onEnd);
    stdout.on("resize", onResize);
    process.on("SIGHUP", onHangUp).on("SIGTERM", onTerminate).on("SIGINT", onInterrupt).on("SIGQUIT", onInterrupt);
    try {
      return await Promise.race([this.#show(), this.#left.promise]);
    } finally {
      clearTimeout(this.#notice);
      stdin.off("data", onTyped).off("end", onEnd).off("error", onEnd);
      stdout.off("resize", onResize);
      this.#reading.abort();
      this.#terminal[Symbol.dispose]();
    }
  }

  /** Told by the workspace: somebody who waits is told so, and sees the screen as it is once there is a connection. */
  onConnectionChange(change: ConnectionChange): void {
    clearTimeout(this.#notice);
    if (change.connected) {
      if (this.#isNoticeShown) this.#repaint();
      this.#isNoticeShown = false;
    } else {
      this.#notice = setTimeout(() => {
        this.#isNoticeShown = true;
        const { escape } = this.#options;
        this.#tell(`no connection; it is tried again${escape === undefined ? "" : ` (Enter ${escape} . leaves)`}`);
      }, noticeAfterMs);
    }
  }

  async #show(): Promise<number> {
    let from = this.#options.from;
    for (;;) {
      this.#reading = new AbortController();
      const { signal } = this.#reading;
      try {
        return await this.#read({ ...from, signal });
      } catch (error) {
        if (!signal.aborted) throw error;
        from = { screen: true };
      }
    }
  }

  async #read(from: ReadOptions & { signal: AbortSignal }): Promise<number> {
    for await (const event of this.#handle.events(from)) {
      // What was on its way when the screen is to be painted anew belongs to the old one.
      if (from.signal.aborted && event.type !== "ended") continue;
      switch (event.type) {
        case "started":
          this.#resize();
          break;
        case "screen":
          await write(this.#terminal.clear());
          this.#terminal.scan(event.bytes);
          await write(event.bytes);
          break;
        case "output":
          this.#terminal.scan(event.bytes);
          await write(event.bytes);
          break;
        case "lost":
          // Half a sequence may be among what is gone: only the screen says how it looks now.
          this.#repaint();
          break;
        case "ended": {
          const remark = remarkOn(event);
          this.#terminal[Symbol.dispose]();
          if (remark !== undefined) process.stderr.write(`yonder: ${remark}\n`);
          return exitCodeOf(event);
        }
      }
    }
    throw new Error("the output ended before the command");
  }

  #repaint(): void {
    this.#reading.abort();
  }

  #take(chunk: Buffer): void {
    for (const typed of this.#keys.take(chunk)) {
      if ("bytes" in typed) this.#type(typed.bytes);
      else if (typed.wish === "detach") this.#leave(`left; ${whatRunsOn(this.#handle.execId)}`, 0);
      else this.#help();
    }
  }

  #type(bytes: Uint8Array): void {
    this.#typedBytes += bytes.length;
    if (this.#typedBytes > mostTypedBytes) process.stdin.pause();
    this.#handle.stdin
      .write(bytes)
      .catch((error: unknown) => {
        // The end of the command is told by its last event.
        if (isYonderError(error) && nobodyReads.has(error.reason)) return;
        this.#tell(`what is typed does not arrive: ${describeError(error)}`);
      })
      .finally(() => {
        this.#typedBytes -= bytes.length;
        if (this.#typedBytes <= mostTypedBytes && process.stdin.isPaused()) process.stdin.resume();
      });
  }

  #resize(): void {
    const { size } = this.#terminal;
    if (size) this.#handle.resize(size.columns, size.rows, { takeOwnership: true }).catch(() => {});
  }

  /** The terminal is gone: the command is told so, as by a modem that hung up. */
  async #hangUp(): Promise<void> {
    const patience = new Promise((resolve) => setTimeout(resolve, 2_000));
    await Promise.race([this.#handle.kill("SIGHUP", { target: "group" }).catch(() => {}), patience]);
    this.#left.resolve(ownFailure);
  }

  #leave(why: string, exitCode: number): void {
    this.#terminal[Symbol.dispose]();
    process.stderr.write(`\r\nyonder: ${why}\n`);
    this.#left.resolve(exitCode);
  }

  #help(): void {
    const { escape = "" } = this.#options;
    this.#tell(`${escape}. leaves the command running, ${escape}${escape} types ${escape}, ${escape}? shows this`);
  }

  /** A line in the middle of what the command shows. */
  #tell(what: string): void {
    process.stderr.write(`\r\n\u001b[7myonder: ${what}\u001b[0m\r\n`);
  }
}
