import { Code, ConnectError } from "@connectrpc/connect";
import type { ExecEvent } from "@yonder/proto";
import { LinkedAbort } from "../connection/linked-abort.ts";

type Messages = AsyncIterator<{ event?: ExecEvent | undefined }>;

/** One stream of replies, given up when nothing comes for `silenceMs` while somebody waits for it. */
export class WatchedStream {
  readonly #silenceMs: number;
  readonly #abort: LinkedAbort;
  #messages: Messages | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Rejects what is waited for. Undefined: nobody waits. */
  #giveUp: ((reason: unknown) => void) | undefined;
  #ended = false;

  constructor(silenceMs: number, ...signals: (AbortSignal | undefined)[]) {
    this.#silenceMs = silenceMs;
    this.#abort = new LinkedAbort(...signals);
  }

  async open(start: (abort: AbortSignal) => Promise<Messages>): Promise<void> {
    const { signal } = this.#abort;
    signal.addEventListener("abort", () => this.#giveUp?.(signal.reason), { once: true });
    this.#messages = await this.#watch(() => start(signal));
  }

  /** Undefined for a message without an event. */
  async next(): Promise<ExecEvent | undefined> {
    const messages = this.#messages;
    const reply = messages && (await this.#watch(() => messages.next()));
    if (!reply || reply.done) throw brokenStream("the stream ended before the command");
    this.#ended = reply.value.event?.event.case === "ended";
    return reply.value.event;
  }

  close(): void {
    clearTimeout(this.#timer);
    if (this.#ended) this.#finish();
    else this.#drop();
  }

  #drop(): void {
    this.#abort.abort(new ConnectError("the reader has gone", Code.Canceled));
    this.#abort.release();
  }

  /** After the last event only the status is to come: it is read, or an HTTP/1.1 connection could not be used again. */
  #finish(): void {
    const timer = setTimeout(() => this.#drop(), 1_000).unref();
    const finished = (isClean: boolean): void => {
      clearTimeout(timer);
      if (isClean) this.#abort.release();
      else this.#drop();
    };
    this.#messages?.next().then(
      ({ done }) => finished(done === true),
      () => finished(false),
    );
  }

  /** One timer serves all waits: most are over in no time, and there are several for each command. */
  #watch<T>(action: () => Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#onSilence(), this.#silenceMs);
    else this.#timer.refresh();
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      action().then(
        (value) => {
          this.#giveUp = undefined;
          resolve(value);
        },
        (error: unknown) => {
          this.#giveUp = undefined;
          reject(error);
        },
      );
    });
  }

  #onSilence(): void {
    if (this.#giveUp === undefined) return;
    this.#abort.abort(new ConnectError(`the stream was silent for ${this.#silenceMs} ms`, Code.Unavailable));
  }
}

/** What makes no sense, said as Connect says it. */
export function brokenStream(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what}`, Code.InvalidArgument);
}
