import { request as requestHttp1 } from "node:http";
import type { IncomingMessage } from "node:http";
import { constants } from "node:http2";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { formatDuration } from "../output/units.ts";
import { failed, ok, skipped, warning, wordsOf } from "./finding.ts";
import type { Finding, Subject } from "./finding.ts";
import { openSession, pathOf } from "./health-call.ts";
import { openSocket } from "./socket.ts";
import { within } from "./within.ts";

/** How much longer than from one heartbeat to the next a stream is watched unless it is said how long. */
const marginMs = 2_000;

const method = "grpc.health.v1.Health/Watch";

/**
 * Whether a stream on which nothing comes is left alone. Streams of ours are never silent for longer than a heartbeat;
 * the one that is watched here, of health, is.
 */
export async function checkIdle(subject: Subject, heartbeatMs: number): Promise<Finding> {
  const watchMs = subject.idleMs ?? heartbeatMs + marginMs;
  if (watchMs === 0) return skipped("idle", "nobody asked for it: --idle says for how long to watch");
  const watch = await openWatch(subject);
  try {
    await within(subject.timeoutMs, "a stream", watch.first);
    subject.onWait?.(`watching a silent stream for ${formatDuration(watchMs)}`);
    const begin = performance.now();
    const why = await watch.cutWithin(watchMs);
    const silentMs = performance.now() - begin;
    if (why === undefined) return ok("idle", `a stream is left alone for ${formatDuration(watchMs)} of silence`);
    return cut(silentMs, heartbeatMs, why);
  } catch (error) {
    return failed(
      "idle",
      `a stream does not begin, though calls get through: ${wordsOf(error)}`,
      "A proxy keeps answers until they are complete: switch that off (nginx: proxy_buffering off; grpc_pass does not buffer).",
    );
  } finally {
    watch.end();
  }
}

function cut(silentMs: number, heartbeatMs: number, why: string): Finding {
  const after = formatDuration(silentMs);
  const beat = formatDuration(heartbeatMs);
  if (silentMs > heartbeatMs) {
    return ok("idle", `a silent stream is cut after ${after} (${why}), and ours are heard of every ${beat}`);
  }
  const detail = `a stream was cut after ${after} of silence (${why}), and ours are heard of only every ${beat}`;
  const remedy =
    "Something in between drops silent connections: let it wait for a minute (nginx: grpc_read_timeout), or start the " +
    `server with a --heartbeat-interval under ${after}.`;
  // What is cut goes on by itself, again and again.
  return warning("idle", detail, remedy);
}

interface Watch {
  /** Resolves at the first answer. */
  readonly first: Promise<void>;
  /** Why it was cut; undefined where it was not. */
  cutWithin(ms: number): Promise<string | undefined>;
  end(): void;
}

async function openWatch(subject: Subject): Promise<Watch> {
  const isOld = subject.choice.options.httpVersion === "1.1";
  const { promise: response, end } = isOld ? watchHttp1(subject) : watchHttp2(subject);
  const closed = Promise.withResolvers<string>();
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => {});
  response.then(
    (stream) => {
      stream.once("data", () => first.resolve());
      stream.on("error", (error) => closed.resolve(wordsOf(error)));
      stream.once("close", () => closed.resolve("it ended"));
      void closed.promise.then((why) => first.reject(new Error(why)));
    },
    (error: unknown) => {
      first.reject(error);
      closed.resolve(wordsOf(error));
    },
  );
  return {
    first: first.promise,
    async cutWithin(ms) {
      const silence = new AbortController();
      const over = sleep(ms, undefined, { signal: silence.signal }).catch(() => undefined);
      return await Promise.race([closed.promise, over]).finally(() => silence.abort());
    },
    end,
  };
}

interface Response {
  readonly promise: Promise<Readable>;
  readonly end: () => void;
}

/** By gRPC, or where that was not chosen by Connect. */
function watchHttp2(subject: Subject): Response {
  const session = openSession(subject);
  const { protocol = "grpc" } = subject.choice.options;
  const promise = new Promise<Readable>((resolve, reject) => {
    session.once("error", reject);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: pathOf(subject, method),
      ...(protocol === "grpc" ? { "content-type": "application/grpc", te: "trailers" } : connectHeaders),
    });
    stream.on("error", reject);
    stream.once("response", () => resolve(stream));
    stream.end(protocol === "grpc" ? Buffer.alloc(5) : emptyMessage);
  });
  return { promise, end: () => session.destroy() };
}

function watchHttp1(subject: Subject): Response {
  const request = requestHttp1({
    createConnection: () => openSocket(subject, ["http/1.1"]),
    method: "POST",
    path: pathOf(subject, method),
    headers: { host: new URL(subject.address.baseUrl).host, ...connectHeaders },
  });
  const promise = new Promise<IncomingMessage>((resolve, reject) => {
    request.on("error", reject);
    request.once("response", resolve);
  });
  request.end(emptyMessage);
  return { promise, end: () => request.destroy() };
}

const connectHeaders = { "content-type": "application/connect+json", "connect-protocol-version": "1" };

/** `{}` in Connect's envelope. */
const emptyMessage = Buffer.from([0, 0, 0, 0, 2, ...Buffer.from("{}")]);
