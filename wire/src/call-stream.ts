import { Code, ConnectError } from "@connectrpc/connect";
import { getAbortSignalReason } from "@connectrpc/connect/protocol";
import { constants } from "node:http2";
import type { ClientHttp2Stream, Http2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { atDeadline } from "./deadline.ts";
import { FullFrames } from "./full-frames.ts";
import { errorOfNode, errorOfReset } from "./node-error.ts";
import type { Sessions } from "./sessions.ts";

/** What is told of a call: one of the last two ends it. What the others throw fails it. */
export interface CallEvents {
  /** The reply begins. */
  onHead(headers: IncomingHttpHeaders): void;
  onData(chunk: Uint8Array): void;
  /** The reply is complete. A reply without messages may have its status among the headers, and no trailers. */
  onEnd(trailers: IncomingHttpHeaders): void;
  /** It failed; `isOurs`: it was ended by its signal or its deadline, whatever may have come before. */
  onFailure(error: ConnectError, isOurs: boolean): void;
}

export interface CallOptions {
  readonly signal: AbortSignal | undefined;
  /** Undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
  readonly events: CallEvents;
}

/** The HTTP/2 stream of one call, from its request to its one end, whoever of the two sides makes it. */
export class CallStream {
  readonly #events: CallEvents;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #stream: ClientHttp2Stream | undefined;
  #frames: FullFrames | undefined;
  #trailers: IncomingHttpHeaders = {};
  #isOver = false;

  constructor({ signal, timeoutMs, events }: CallOptions) {
    this.#events = events;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#timer = atDeadline(timeoutMs, () => this.#failOurs(deadlineExceeded()));
    if (signal?.aborted === true) this.#onAbort();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What it runs on, once it does. */
  get session(): Http2Session | undefined {
    return this.#stream?.session;
  }

  /** Sends the headers. Resolves when more can be sent, if the call is not over by then. */
  async open(sessions: Sessions, path: string, headers: OutgoingHttpHeaders): Promise<void> {
    if (this.#isOver) return;
    try {
      this.#adopt(await sessions.request("POST", path, headers, {}));
    } catch (error) {
      this.fail(errorOfNode(error));
    }
  }

  /** Resolves when the pieces are no longer needed, and there is room for more. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    const frames = this.#frames;
    if (frames === undefined || this.#isOver) return;
    // What goes wrong with it, the stream's own events tell.
    await new Promise<void>((resolve) => frames.write(pieces, () => resolve()));
  }

  /** Sends the last pieces, and that there are no more. */
  end(pieces: readonly Uint8Array[] = []): void {
    const stream = this.#stream;
    if (stream === undefined || this.#isOver) return;
    stream.cork();
    this.#frames?.flush();
    for (const piece of pieces) stream.write(piece);
    stream.end();
    stream.uncork();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    if (this.#stream?.isPaused() === true) this.#stream.resume();
  }

  fail(error: ConnectError, isOurs = false): void {
    if (!this.#settle()) return;
    if (this.#stream !== undefined) close(this.#stream, error);
    this.#events.onFailure(error, isOurs);
  }

  #adopt(stream: ClientHttp2Stream): void {
    this.#stream = stream;
    this.#frames = new FullFrames(stream);
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // It was answered before all was sent.
      if (stream.writableEnded && error.code === "ERR_STREAM_WRITE_AFTER_END") return;
      const reset = error.code === "ERR_HTTP2_STREAM_ERROR" ? errorOfReset(stream.rstCode, error) : undefined;
      this.fail(reset ?? errorOfNode(error));
    });
    // It came too late.
    if (this.#isOver) return close(stream, undefined);
    stream.on("response", (headers) => this.#tell(() => this.#events.onHead(headers)));
    stream.on("data", (chunk: Uint8Array) => this.#tell(() => this.#events.onData(chunk)));
    stream.on("trailers", (trailers) => (this.#trailers = trailers));
    stream.on("end", () => this.#onEnd(stream));
    stream.on("close", () => {
      if (!this.#isOver) this.fail(errorOfReset(stream.rstCode) ?? errorOfNode(prematureClose()));
    });
  }

  #onEnd(stream: ClientHttp2Stream): void {
    // What was reset ends as well; `close` says so. Past its trailers that changes nothing.
    if (this.#trailers["grpc-status"] === undefined && errorOfReset(stream.rstCode) !== undefined) return;
    this.#tell(() => {
      this.#events.onEnd(this.#trailers);
      this.#settle();
      // The rest of the request interests nobody.
      if (!stream.writableEnded) stream.close(constants.NGHTTP2_CANCEL);
    });
  }

  /** Tells something, if the call is not over. */
  #tell(event: () => void): void {
    if (this.#isOver) return;
    try {
      event();
    } catch (error) {
      this.fail(ConnectError.from(error, Code.Internal));
    }
  }

  readonly #onAbort = (): void => {
    if (this.#signal !== undefined) {
      this.#failOurs(ConnectError.from(getAbortSignalReason(this.#signal), Code.Canceled));
    }
  };

  #failOurs(error: ConnectError): void {
    this.fail(error, true);
  }

  /** Whether it was not over before. */
  #settle(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}

/** Ends a stream for its peer, and lets nobody wait for what is still on its way. */
function close(stream: ClientHttp2Stream, error: ConnectError | undefined): void {
  const isCancel = error === undefined || error.code === Code.Canceled || error.isWireError;
  stream.close(isCancel ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_INTERNAL_ERROR);
  stream.resume();
}

function deadlineExceeded(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

function prematureClose(): Error {
  return Object.assign(new Error("Premature close"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
}
