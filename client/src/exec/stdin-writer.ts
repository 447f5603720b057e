import { Code, ConnectError } from "@connectrpc/connect";
import { ExecService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { Conflict } from "../errors.ts";

/** A command's standard input. Writes are taken in the order in which they were made; one writer at a time. */
export interface ExecStdin {
  /**
   * Writes bytes, or text as UTF-8. Resolves when the server has taken them, which it puts off while the command does
   * not read. A write whose answer was lost is sent again without being taken twice.
   *
   * Rejects with InvalidState (STDIN_CLOSED, EXEC_ENDED) when nothing takes them any more, and with Conflict when
   * another client writes to the same input.
   */
  write(data: string | Uint8Array): Promise<void>;
  /** Writes `data`, if any, and closes it. To a terminal, this sends its end-of-file character. */
  end(data?: string | Uint8Array): Promise<void>;
}

/** Well under the largest message a server takes. */
const chunkBytes = 512 << 10;
/** How long one try waits for the command to read: shorter after each cut, which may have come of the silence. */
const longestTryMs = 30_000;
const shortestTryMs = 500;
const noBytes = new Uint8Array(0);

export class StdinWriter implements ExecStdin {
  readonly #connection: Connection;
  readonly #execId: string;
  #offset: number;
  #last: Promise<void> = Promise.resolve();

  constructor(connection: Connection, execId: string, offset: number) {
    this.#connection = connection;
    this.#execId = execId;
    this.#offset = offset;
  }

  write(data: string | Uint8Array): Promise<void> {
    return this.#enqueue(data, false);
  }

  end(data: string | Uint8Array = noBytes): Promise<void> {
    return this.#enqueue(data, true);
  }

  #enqueue(data: string | Uint8Array, eof: boolean): Promise<void> {
    // The caller may reuse its buffer as soon as it has the promise.
    const bytes = typeof data === "string" ? Buffer.from(data) : Uint8Array.from(data);
    const write = this.#last.then(() => this.#send(bytes, eof));
    this.#last = write.catch(() => {});
    return write;
  }

  async #send(bytes: Uint8Array, eof: boolean): Promise<void> {
    let rest = bytes;
    do {
      const data = rest.subarray(0, chunkBytes);
      rest = rest.subarray(data.length);
      if (data.length > 0 || eof) await this.#sendChunk(data, eof && rest.length === 0);
    } while (rest.length > 0);
  }

  async #sendChunk(data: Uint8Array, eof: boolean): Promise<void> {
    const begin = this.#offset;
    const end = begin + data.length;
    const retry = this.#connection.retry({ subject: { execId: this.#execId, mayHaveRun: true } });
    let timeoutMs = longestTryMs;
    for (;;) {
      const rest = data.subarray(this.#offset - begin);
      const request = { execId: this.#execId, offset: BigInt(this.#offset), data: rest, eof };
      try {
        const reply = await this.#connection.attempt(ExecService.method.writeStdin, request, retry, { timeoutMs });
        this.#offset = Number(reply.offset);
        if (this.#offset > end) throw this.#conflict();
        if (this.#offset === end) return;
      } catch (error) {
        // The command does not read yet; what was taken by now is passed over when it is sent again.
        if (error instanceof ConnectError && error.code === Code.DeadlineExceeded) {
          retry.progress();
        } else {
          timeoutMs = Math.max(shortestTryMs, timeoutMs / 2);
          await retry.after(error);
        }
      }
    }
  }

  #conflict(): Conflict {
    return new Conflict(`another client writes to the standard input of ${this.#execId}: it is at ${this.#offset}`, {
      reason: "STDIN_OFFSET_GAP",
      subject: this.#execId,
      expectedOffset: this.#offset,
    });
  }
}
