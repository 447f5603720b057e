import type {
  DescMessage,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { reuseMemory } from "@yonder/wire";
import { InvalidState } from "../errors.ts";
import type { YonderError } from "../errors.ts";
import { ApiKeySource } from "./api-key.ts";
import type { ApiKey } from "./api-key.ts";
import { LinkedAbort } from "./linked-abort.ts";
import { Retry } from "./retry.ts";
import type { Diagnosis, RetryPolicy, RetrySubject } from "./retry.ts";
import type { Transports } from "./transports.ts";

export interface ConnectionOptions {
  /** The address, for messages. */
  readonly host: string;
  /** Opens the ways to the server; called anew after `reset`. */
  readonly open: () => Transports;
  readonly apiKey: ApiKey | undefined;
  readonly retry: RetryPolicy;
  /** How long one try of a call with one reply may take, in milliseconds. */
  readonly callMs: number;
  /** Told when the connection is lost, and when it works again. */
  readonly onChange?: ((change: ConnectionChange) => void) | undefined;
  /** Asked why the server cannot be reached. Undefined: nobody knows. */
  readonly diagnose?: (() => Promise<Diagnosis | undefined>) | undefined;
}

/** What became of the connection to a server, once it had been had. */
export type ConnectionChange =
  /** A call or a stream found it lost, and tries to have it again. */
  | { readonly connected: false; readonly error: Error }
  /** It works again. */
  | { readonly connected: true };

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Instead of the connection's own `callMs`. */
  readonly timeoutMs?: number | undefined;
  readonly subject?: RetrySubject | undefined;
  /** Instead of the connection's own policy. */
  readonly retry?: RetryPolicy | undefined;
  /** Whether to wait for a server that nobody answers for. Default true. */
  readonly waitForServer?: boolean | undefined;
}

/** What is known of the server once it has answered. */
export interface Peer {
  readonly workspaceId: string;
  readonly version: string;
  readonly heartbeatMs: number;
  readonly platform: string;
  readonly workingDirectory: string;
}

/**
 * The client's side of the wire: it sends calls with the key and the workspace that is meant, and repeats those whose
 * connection was lost. Every call that goes through it is therefore one that can be repeated.
 */
export class Connection {
  /** What answered first. Undefined: nothing has yet. */
  peer: Peer | undefined;
  /** The workspace that is meant: another one refuses every call. Undefined: any. */
  workspaceId: string | undefined;
  /** What calls are refused with while the workspace is set aside; those under way wait. Undefined: it is not. */
  setAside: YonderError | undefined;
  readonly #options: ConnectionOptions;
  readonly #key: ApiKeySource;
  readonly #closed = new AbortController();
  #transports: Transports | undefined;
  /** What the last call bore. */
  #sent:
    { key: string | undefined; workspaceId: string | undefined; headers: Readonly<Record<string, string>> } | undefined;
  #isLost = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#key = new ApiKeySource(options.apiKey);
  }

  /** How long one try of a call may take, in milliseconds. */
  get callMs(): number {
    return this.#options.callMs;
  }

  get host(): string {
    return this.#options.host;
  }

  /** Aborted when the workspace is closed, with the error that everything on it then ends with. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** One reply to one request, however many tries it takes. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const retry = this.retry(options);
    for (;;) {
      try {
        return await this.attempt(method, request, retry, options);
      } catch (error) {
        await retry.after(error);
      }
    }
  }

  /** The same in one try, whose errors go to `retry.after`. */
  async attempt<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    retry: Retry,
    { signal, timeoutMs = this.#options.callMs }: Pick<CallOptions, "signal" | "timeoutMs"> = {},
  ): Promise<MessageShape<O>> {
    const abort = signal && new LinkedAbort(signal, this.closed);
    try {
      const headers = await this.#headers(retry);
      // Whole: gRPC has no fractions of the unit in which it is sent.
      const wholeMs = Math.ceil(timeoutMs);
      const { calls } = this.#open();
      const response = await calls.unary(method, abort?.signal ?? this.closed, wholeMs, headers, request);
      this.#works();
      return response.message;
    } finally {
      abort?.release();
    }
  }

  /**
   * The replies to one request: one try, whose errors go to `retry.after`. Aborting `signal` ends it. With `held` the bytes
   * of a reply are good only for as long as it is one of so many that were asked for last.
   */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    retry: Retry,
    signal: AbortSignal,
    { held = 0 } = {},
  ): Promise<AsyncIterator<MessageShape<O>>> {
    const headers = await this.#headers(retry);
    const { streams } = this.#open();
    const values = createContextValues().set(reuseMemory, held);
    const response = await streams.stream(method, signal, 0, headers, once(request), values);
    return response.message[Symbol.asyncIterator]();
  }

  /** The reply to a stream of requests: one try, whose errors go to `retry.after`. Aborting `signal` ends it. */
  async send<I extends DescMessage, O extends DescMessage>(
    method: DescMethodClientStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
    retry: Retry,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    const headers = await this.#headers(retry);
    const { streams } = this.#open();
    const response = await streams.stream(method, signal, 0, headers, requests);
    let reply: MessageShape<O> | undefined;
    for await (const message of response.message) reply = message;
    if (reply === undefined) throw new ConnectError("protocol error: no reply to a stream", Code.InvalidArgument);
    return reply;
  }

  /** What decides on the tries of one call. */
  retry(options: CallOptions): Retry {
    if (this.setAside !== undefined) throw this.setAside;
    return new Retry({
      host: this.host,
      policy: options.retry ?? this.#options.retry,
      subject: options.subject ?? { mayHaveRun: false },
      signal: options.signal,
      closed: this.closed,
      serverVersion: this.peer?.version ?? "",
      waitForServer: options.waitForServer ?? true,
      diagnose: this.#options.diagnose,
      renewKey: (key) => this.#key.refused(key),
      onLost: (error) => this.#lost(error),
      onWorking: () => this.#works(),
    });
  }

  /** Ends the connections. What runs on them goes on over new ones. */
  reset(): void {
    this.#transports?.abort();
    this.#transports = undefined;
  }

  /** Ends the connections for good. What runs on them fails with WORKSPACE_CLOSED. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(
      new InvalidState("the workspace was closed", { reason: "WORKSPACE_CLOSED", subject: this.host }),
    );
    this.reset();
  }

  #lost(error: unknown): void {
    // Before anything has answered, there was no connection to lose.
    if (this.#isLost || this.peer === undefined) return;
    this.#isLost = true;
    this.#options.onChange?.({ connected: false, error: error instanceof Error ? error : new Error(String(error)) });
  }

  #works(): void {
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#options.onChange?.({ connected: true });
  }

  async #headers(retry: Retry): Promise<Readonly<Record<string, string>>> {
    const key = await this.#key.get();
    retry.key = key;
    const { workspaceId } = this;
    if (this.#sent?.key !== key || this.#sent?.workspaceId !== workspaceId) this.#sent = undefined;
    this.#sent ??= { key, workspaceId, headers: headersOf(key, workspaceId) };
    return this.#sent.headers;
  }

  #open(): Transports {
    this.closed.throwIfAborted();
    return (this.#transports ??= this.#options.open());
  }
}

/** Frozen, so that the wire can keep what it makes of them. */
function headersOf(key: string | undefined, workspaceId: string | undefined): Readonly<Record<string, string>> {
  return Object.freeze({
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(workspaceId !== undefined && { "yonder-workspace-id": workspaceId }),
  });
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
