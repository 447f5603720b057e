import type { KillTarget } from "./end-tree.ts";
import type { ExecEvent, ReadOptions, StreamName } from "./events.ts";
import type { OutputOptions, OutputPart } from "./read-output.ts";
import type { ExecEnd, ExecInfo } from "./results.ts";
import type { ExecStdin } from "./stdin-writer.ts";

/**
 * A command that runs, or ran, in the workspace. It belongs to the workspace: it runs on when nobody reads it, when
 * the connection breaks and when this program ends, and `attach` with its id finds it again.
 *
 * No stream is open until something reads, and every iteration is a reader of its own, at its own pace. A connection
 * that breaks is had again and the reading goes on at the next byte; only what stays lost past `retry.maxElapsedMs`
 * ends with ConnectionLost, which has the cursor to go on from.
 */
export interface ExecHandle extends AsyncDisposable {
  readonly execId: string;
  /** The process id in the workspace. 0 if the process was gone already. */
  readonly pid: number;
  /** Everything that happens, from `started` to `ended`, with both streams in the order in which they were printed. */
  events(options?: ReadOptions): AsyncIterable<ExecEvent>;
  /** One stream's bytes from the first one on; `.text()` and `.lines()` give it as text. */
  readonly stdout: OutputReader;
  readonly stderr: OutputReader;
  /**
   * What it prints, line by line: both streams' lines unless `stream` says which. A line comes without its "\n" or
   * "\r\n"; one longer than 1 Mi characters comes in pieces. Throws OutputLost where bytes are no longer kept.
   */
  lines(options?: ReadOptions & { stream?: StreamName | undefined }): AsyncIterable<string>;
  /** A part of what it has printed, without following it: its head, its tail, a range, or the lines that match. */
  output(options?: OutputOptions): Promise<OutputPart>;
  readonly stdin: ExecStdin;
  /** Changes the terminal's size. `applied` is false where another reader owns it and `takeOwnership` was not set. */
  resize(columns: number, rows: number, options?: { takeOwnership?: boolean | undefined }): Promise<TerminalSize>;
  /**
   * Sends a signal, "SIGTERM" by default, to all that the command started (`target: "tree"`), to its process group or
   * to its own process alone. Resolves to how many processes got it: 0 if it has ended and left nothing running.
   */
  kill(signal?: string, options?: { target?: KillTarget | undefined }): Promise<number>;
  /** How it ended, once it has. Does not read its output, so it ends whether or not anybody does. */
  wait(options?: { signal?: AbortSignal | undefined }): Promise<ExecEnd>;
  /** How it stands now. */
  info(): Promise<ExecInfo>;
  /** Leaves the command running at the end of the scope that holds this handle. */
  detach(): void;
  /** Ends the command with all that it started, as a timeout does, unless it has ended or `detach` was called. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** One stream's bytes, from the first one on. Every iteration is a reader of its own. */
export interface OutputReader extends AsyncIterable<Uint8Array> {
  /** The bytes as UTF-8 text, in pieces as they come; no character is cut. */
  text(options?: ReadOptions): AsyncIterable<string>;
  /** The text line by line, as `ExecHandle.lines`. */
  lines(options?: ReadOptions): AsyncIterable<string>;
  /** The bytes from where the options say. */
  bytes(options?: ReadOptions): AsyncIterable<Uint8Array>;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
  /** Whether the size that was asked for is in force. */
  readonly applied: boolean;
}
