import type { ExecEnd } from "./results.ts";

/** One of a command's two output streams. A terminal prints everything to "stdout". */
export type StreamName = "stdout" | "stderr";

/** One thing that happened to a command, in the order in which the server saw it. */
export type ExecEvent = StartedEvent | OutputEvent | LostEvent | ScreenEvent | EndedEvent;

/** Always the first event, once. */
export interface StartedEvent {
  readonly type: "started";
  readonly execId: string;
  /** The process id in the workspace. 0 once the process is gone. */
  readonly pid: number;
  readonly startTime: Date | undefined;
}

/** It printed bytes. */
export interface OutputEvent {
  readonly type: "output";
  readonly stream: StreamName;
  /** The bytes as printed. */
  readonly bytes: Uint8Array;
  /**
   * The bytes as UTF-8 text. A character that is cut at the end of `bytes` is in the next event's text; what is no
   * UTF-8 becomes U+FFFD. The last event of a stream may have text and no bytes.
   */
  readonly text: string;
  /** The cursor of the first byte: one count runs over both streams. */
  readonly cursor: number;
  /** The cursor to go on from after this event. */
  readonly nextCursor: number;
  /** The offset of the first byte within its own stream. */
  readonly streamOffset: number;
}

/** Bytes that this reader asked for are no longer kept. Reading goes on at `nextCursor`. */
export interface LostEvent {
  readonly type: "lost";
  /** The cursor of the first byte that is gone. */
  readonly cursor: number;
  readonly nextCursor: number;
  /** How many bytes of each stream are gone. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/** The terminal as it stands: written to a cleared terminal of this size, `bytes` shows what the command's own shows. */
export interface ScreenEvent {
  readonly type: "screen";
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly columns: number;
  readonly rows: number;
  /** The cursor up to which output is painted. */
  readonly cursor: number;
  readonly nextCursor: number;
}

/** It has ended. Always the last event, once. */
export interface EndedEvent extends ExecEnd {
  readonly type: "ended";
}

/** Where a reader begins, and how long it reads. At most one of `cursor`, `tail`, `live` and `screen` may be set. */
export interface ReadOptions {
  /** At this cursor. Default: at the first byte; for a terminal that was attached to, with its screen. */
  cursor?: number | undefined;
  /** This many bytes before the newest one. */
  tail?: number | undefined;
  /** After the newest byte. */
  live?: boolean | undefined;
  /** With the terminal's screen. Terminals only. */
  screen?: boolean | undefined;
  /** Stops the reading with an AbortError when aborted; the command runs on. */
  signal?: AbortSignal | undefined;
}
