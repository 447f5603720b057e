import { FailedPrecondition, OutOfRange } from "../util/errors.ts";
import { Notifier } from "../util/notifier.ts";
import type { ExecRun } from "./exec-run.ts";
import type { Journal } from "./journal/journal.ts";
import { Readers, type ReadersOptions } from "./readers.ts";
import type { TerminalSize } from "./spec.ts";
import type { EndRecord, ExecSummary } from "./state/records.ts";
import type { StdinFeed } from "./stdin-feed.ts";
import { TerminalView } from "./terminal-view.ts";

export interface ExecIdentity {
  readonly id: string;
  /** Grows by one with every exec of the workspace: the order of lists and the key of their pages. */
  readonly sequence: number;
  readonly requestHash: string;
  readonly startTimeMs: number;
  readonly summary: ExecSummary;
}

/** Everything that is told of an exec. Environment values and standard input are not among it. */
export interface ExecDescription extends ExecIdentity {
  readonly pid: number;
  readonly ended: EndRecord | undefined;
  readonly beginCursor: number;
  readonly endCursor: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly stdinOffset: number;
  readonly isStdinOpen: boolean;
  readonly terminal: TerminalSize | undefined;
  readonly readers: number;
  readonly backgroundBytes: number;
  readonly expireTimeMs: number | undefined;
}

/** One run of a command as it can be read: running, ended, or found again after a restart of the server. */
export class Exec {
  readonly identity: ExecIdentity;
  readonly readers: Readers;
  /** Notified when there is more to read or the exec has ended. */
  readonly changed = new Notifier();
  /** The live part: the process. Undefined where this server never had it. */
  run: ExecRun | undefined;
  /** Undefined where it has no terminal. */
  readonly terminalView: TerminalView | undefined;
  expireTimeMs: number | undefined;
  readonly #openJournal: () => Promise<Journal>;
  #journal: Promise<Journal> | undefined;
  #ended: EndRecord | undefined;

  constructor(options: {
    identity: ExecIdentity;
    readers: ReadersOptions;
    /** Called once, when the output is first asked for: a restart must not read what nobody wants. */
    openJournal: () => Promise<Journal>;
    ended?: EndRecord | undefined;
  }) {
    this.identity = options.identity;
    this.readers = new Readers(options.readers);
    this.#openJournal = options.openJournal;
    const { terminal } = options.identity.summary;
    this.terminalView =
      terminal === undefined
        ? undefined
        : new TerminalView({
            size: terminal,
            openJournal: () => this.journal(),
            readers: this.readers,
            onResize: (columns, rows) => this.run?.resize(columns, rows),
          });
    this.#ended = options.ended;
  }

  get id(): string {
    return this.identity.id;
  }

  get ended(): EndRecord | undefined {
    return this.#ended;
  }

  journal(): Promise<Journal> {
    this.#journal ??= this.#openJournal().then(
      (journal) => {
        journal.onGrow(() => this.changed.notify());
        return journal;
      },
      (error: unknown) => {
        // What was short for a moment, open files for example, may be there the next time.
        this.#journal = undefined;
        throw error;
      },
    );
    return this.#journal;
  }

  /** The first end is the end. */
  end(record: EndRecord): void {
    this.#ended ??= record;
    this.changed.notify();
  }

  /** Waits for the end, for `waitMs` at most; rejects once the signal aborts. */
  async waitForEnd(waitMs: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + waitMs;
    while (this.#ended === undefined) {
      signal.throwIfAborted();
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return;
      await this.changed.next(leftMs, signal);
    }
  }

  async describe(): Promise<ExecDescription> {
    const journal = await this.journal();
    const { run, terminalView } = this;
    return {
      ...this.identity,
      pid: this.#ended === undefined ? (run?.pid ?? 0) : 0,
      ended: this.#ended,
      beginCursor: journal.beginCursor,
      endCursor: journal.endCursor,
      stdoutBytes: journal.stdoutBytes,
      stderrBytes: journal.stderrBytes,
      stdinOffset: run?.stdin?.offset ?? 0,
      isStdinOpen: this.#ended === undefined && run?.stdin?.isOpen === true,
      terminal: terminalView?.size,
      readers: this.readers.size,
      backgroundBytes: run?.backgroundBytes ?? 0,
      expireTimeMs: this.expireTimeMs,
    };
  }

  /** The live part of an exec that must be running. */
  mustRun(): ExecRun {
    if (this.run !== undefined && this.#ended === undefined) return this.run;
    throw new FailedPrecondition("EXEC_ENDED", `Exec "${this.id}" has ended`, { subject: this.id });
  }

  mustTakeStdin(): StdinFeed {
    const { stdin } = this.mustRun();
    if (stdin !== undefined) return stdin;
    throw new FailedPrecondition("STDIN_CLOSED", `Exec "${this.id}" was started without standard input`, {
      subject: this.id,
      remedy: "Start it with `stdin` set to write to it.",
    });
  }

  /** Signals its processes, or what it left running when it ended. Returns how many there were. */
  async signal(signal: number, target: "tree" | "group" | "process"): Promise<number> {
    const count = (await this.run?.signal(signal, target)) ?? 0;
    if (count > 0 || this.#ended === undefined) return count;
    throw new FailedPrecondition("EXEC_ENDED", `Exec "${this.id}" has ended and left nothing running`, {
      subject: this.id,
    });
  }

  mustHaveTerminal(): TerminalView {
    if (this.terminalView !== undefined) return this.terminalView;
    throw new FailedPrecondition("NOT_A_TERMINAL", `Exec "${this.id}" has no terminal`, { subject: this.id });
  }

  async mustReach(cursor: number): Promise<void> {
    const { endCursor } = await this.journal();
    if (cursor <= endCursor) return;
    throw new OutOfRange(
      "CURSOR_OUT_OF_RANGE",
      `Cursor ${cursor} lies past the newest byte of exec "${this.id}", ${endCursor}`,
      { subject: this.id, expectedOffset: endCursor },
    );
  }

  /** Lets go of memory and files; what was written down stays or goes with `removeOutput`. */
  async forget(options: { removeOutput: boolean }): Promise<void> {
    this.readers.clear();
    this.terminalView?.close();
    const journal = await this.journal();
    await (options.removeOutput ? journal.remove() : journal.close());
  }
}
