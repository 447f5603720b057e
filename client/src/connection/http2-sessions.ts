import { Code, ConnectError } from "@connectrpc/connect";
import { firstWindowBytes, fitWindows } from "@yonder/wire";
import { connect, constants } from "node:http2";
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  OutgoingHttpHeaders,
} from "node:http2";
import type { Socket } from "node:net";

/** Node's default of 10 MB ends a session with about 150 stalled streams. */
const maxSessionMemoryMb = 256;
/** A server's or proxy's own limit is told only after the first streams; past ours another connection is opened. */
const maxStreamsPerSession = 100;
const idleTimeoutMs = 5 * 60_000;

export interface Http2SessionsOptions {
  /** The origin that requests are addressed to. */
  readonly authority: string;
  readonly dial: () => Socket;
  /** How often a connection is asked whether it lives, in milliseconds, and how long it may take to answer. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
}

/**
 * The HTTP/2 connections to one server, opened as they are needed: what a transport of connect-node takes as its
 * session manager.
 *
 * It stands in for connect-node's own, whose pings crash the process when they time out, whose windows are small, and
 * which lets calls past a server's limit of streams wait behind streams that never end.
 */
export class Http2Sessions {
  readonly authority: string;
  readonly #options: Http2SessionsOptions;
  readonly #sessions = new Set<Session>();

  constructor(options: Http2SessionsOptions) {
    this.authority = options.authority;
    this.#options = options;
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: Omit<ClientSessionRequestOptions, "signal">,
  ): Promise<ClientHttp2Stream> {
    for (;;) {
      const session = this.#roomy() ?? this.#open();
      session.reserved++;
      try {
        await session.connected;
        const stream = session.http2.request({ ...headers, ":method": method, ":path": path }, options);
        this.#count(session, stream);
        return stream;
      } catch (error) {
        // The connection may have begun to close in between; then the next one has the stream.
        if (!session.closing && !session.http2.closed && !session.http2.destroyed) throw error;
        if (!session.wasConnected) throw error;
      } finally {
        session.reserved--;
      }
    }
  }

  notifyResponseByteRead(): void {
    // Life is seen by the bytes of the socket.
  }

  /** Ends all connections and the streams on them. The next request opens a new one. */
  abort(reason: ConnectError): void {
    for (const session of this.#sessions) {
      session.closing = true;
      session.http2.destroy(reason);
    }
    this.#sessions.clear();
  }

  #roomy(): Session | undefined {
    for (const session of this.#sessions) {
      const limit = Math.min(session.http2.remoteSettings?.maxConcurrentStreams ?? Infinity, maxStreamsPerSession);
      const isDoubted = session.doubtedAt === session.socket.bytesRead;
      const isOpen = !session.closing && !session.http2.closed && !isDoubted;
      if (isOpen && session.streams + session.reserved < limit) return session;
    }
    return undefined;
  }

  #open(): Session {
    const socket = this.#options.dial();
    const http2 = connect(this.authority, {
      createConnection: () => socket,
      settings: { initialWindowSize: firstWindowBytes, enablePush: false },
      maxSessionMemory: maxSessionMemoryMb,
    });
    const session: Session = {
      http2,
      socket,
      streams: 0,
      reserved: 0,
      closing: false,
      doubtedAt: undefined,
      wasConnected: false,
      connected: Promise.resolve(),
      idle: undefined,
    };
    session.connected = new Promise((resolve, reject) => {
      http2.once("connect", () => {
        // Ended in the very turn in which it came about: nothing can be set on it any more.
        if (http2.destroyed) return;
        session.wasConnected = true;
        fitWindows(http2);
        // An open connection without streams does not keep the process alive.
        http2.unref();
        resolve();
      });
      http2.once("close", () => reject(connectionError(this.authority, undefined)));
      // Stays for good: an error after the last stream has nobody else to go to, and would end the process.
      http2.on("error", (error) => reject(connectionError(this.authority, error)));
    });
    session.connected.catch(() => {});
    http2.once("goaway", () => (session.closing = true));
    http2.once("close", () => this.#sessions.delete(session));
    this.#keepAlive(session);
    this.#sessions.add(session);
    return session;
  }

  #count(session: Session, stream: ClientHttp2Stream): void {
    clearTimeout(session.idle);
    if (session.streams++ === 0) session.http2.ref();
    stream.once("close", () => {
      // What a stream is ended with that fell silent or took too long. What is tried next must not wait here, too.
      if (stream.rstCode === constants.NGHTTP2_INTERNAL_ERROR && !session.http2.destroyed) {
        session.doubtedAt = session.socket.bytesRead;
        this.#ask(session);
      }
      if (--session.streams > 0 || session.http2.destroyed) return;
      session.http2.unref();
      session.idle = setTimeout(() => session.http2.close(), idleTimeoutMs).unref();
    });
  }

  /** A peer that froze, or a network that went away, says nothing: only an unanswered ping tells. */
  #keepAlive(session: Session): void {
    const { pingIntervalMs } = this.#options;
    const { http2, socket } = session;
    let seen = 0;
    const interval = setInterval(() => {
      if (http2.closed || http2.destroyed || http2.connecting) return;
      const before = socket.bytesRead;
      const isHeardOf = before !== seen;
      seen = before;
      if (isHeardOf) return;
      this.#ask(session, () => (seen = socket.bytesRead));
    }, pingIntervalMs).unref();
    http2.once("close", () => {
      clearInterval(interval);
      clearTimeout(session.idle);
    });
  }

  /** Asks whether the peer lives, and gives the connection up where nothing at all comes in time. */
  #ask(session: Session, onAnswer?: () => void): void {
    const { pingTimeoutMs } = this.#options;
    const { http2, socket } = session;
    const before = socket.bytesRead;
    const deadline = setTimeout(() => {
      // On a slow link the answer may be queued behind megabytes of data that do arrive.
      if (socket.bytesRead !== before) return;
      session.closing = true;
      const message = `${this.authority} did not answer a ping within ${pingTimeoutMs} ms`;
      http2.destroy(new ConnectError(message, Code.Unavailable));
    }, pingTimeoutMs).unref();
    try {
      http2.ping(() => {
        clearTimeout(deadline);
        onAnswer?.();
      });
    } catch {
      clearTimeout(deadline);
    }
  }
}

interface Session {
  readonly http2: ClientHttp2Session;
  readonly socket: Socket;
  connected: Promise<void>;
  wasConnected: boolean;
  /** Open streams, and requests that wait for the connection. */
  streams: number;
  reserved: number;
  /** Takes no more streams. */
  closing: boolean;
  /** Takes none as long as no more bytes than these have come on it: a stream of it was given up as silent. */
  doubtedAt: number | undefined;
  idle: NodeJS.Timeout | undefined;
}

function connectionError(authority: string, cause: unknown): ConnectError {
  if (cause instanceof ConnectError) return cause;
  const message = cause instanceof Error ? cause.message : `the connection to ${authority} was closed`;
  return new ConnectError(message, Code.Unavailable, undefined, undefined, cause);
}
