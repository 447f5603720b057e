import { FailedPrecondition } from "../util/errors.ts";
import { Notifier } from "../util/notifier.ts";
import type { ProcessInput } from "./launcher.ts";

const PIECE_BYTES = 64 * 1024;
/** VEOF of a terminal in its default setting. */
const END_OF_FILE_CHARACTER = Buffer.from([0x04]);
/** Long enough to be no poll, short enough that a lost wake-up would heal. */
const ROOM_WAIT_MS = 5_000;

/**
 * A command's standard input by offset, so that a write whose answer was lost can be sent again: bytes already taken
 * are passed over, a gap is an error.
 */
export class StdinFeed {
  readonly #execId: string;
  readonly #input: ProcessInput;
  readonly #isTerminal: boolean;
  readonly #bufferBytes: number;
  readonly #room = new Notifier();
  #queue: Promise<unknown> = Promise.resolve();
  #taken = 0;
  #waiting = 0;
  #state: "open" | "ended" | "broken" = "open";

  constructor(options: { execId: string; input: ProcessInput; isTerminal: boolean; bufferBytes: number }) {
    this.#execId = options.execId;
    this.#input = options.input;
    this.#isTerminal = options.isTerminal;
    this.#bufferBytes = options.bufferBytes;
  }

  /** How many bytes were taken so far. */
  get offset(): number {
    return this.#taken;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Takes what came with the request, all of it: it is in memory already. */
  begin(data: Uint8Array, eof: boolean): void {
    for (let at = 0; at < data.length; at += PIECE_BYTES) this.#handOver(data.subarray(at, at + PIECE_BYTES));
    if (eof) this.#end();
  }

  /** Writes in call order and returns the offset up to which bytes are taken. */
  write(offset: number, data: Uint8Array, eof: boolean, signal: AbortSignal): Promise<number> {
    const turn = this.#queue.then(() => this.#write(offset, data, eof, signal));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    if (this.#state === "open") this.#state = "broken";
    this.#input.destroy();
    this.#room.notify();
  }

  async #write(offset: number, data: Uint8Array, eof: boolean, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    if (offset > this.#taken) {
      throw new FailedPrecondition(
        "STDIN_OFFSET_GAP",
        `Standard input of exec "${this.#execId}" stands at ${this.#taken}; offset ${offset} would leave a gap`,
        { subject: this.#execId, expectedOffset: this.#taken, remedy: "Send the bytes from expected_offset on." },
      );
    }
    const fresh = data.subarray(this.#taken - offset);
    for (let at = 0; at < fresh.length; at += PIECE_BYTES) {
      this.#mustBeOpen();
      while (this.#waiting >= this.#bufferBytes) {
        await this.#room.next(ROOM_WAIT_MS, signal);
        signal.throwIfAborted();
        this.#mustBeOpen();
      }
      this.#handOver(fresh.subarray(at, at + PIECE_BYTES));
    }
    if (eof && this.#state === "open") this.#end();
    return this.#taken;
  }

  #mustBeOpen(): void {
    if (this.#state === "open") return;
    const why = this.#state === "ended" ? "was closed" : "was closed by the command";
    throw new FailedPrecondition("STDIN_CLOSED", `Standard input of exec "${this.#execId}" ${why}`, {
      subject: this.#execId,
      expectedOffset: this.#taken,
    });
  }

  #handOver(piece: Uint8Array): void {
    this.#taken += piece.length;
    this.#waiting += piece.length;
    this.#input.write(piece).then(
      () => {
        this.#waiting -= piece.length;
        this.#room.notify();
      },
      () => this.close(),
    );
  }

  #end(): void {
    if (this.#isTerminal) return void this.#input.write(END_OF_FILE_CHARACTER).catch(() => this.close());
    this.#state = "ended";
    this.#input.end();
  }
}
