import { ConnectError } from "@connectrpc/connect";
import { ErrorReason, ExecService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { errorDetail } from "../connection/error-map.ts";
import type { RetrySubject } from "../connection/retry.ts";
import { toEvent } from "./from-wire.ts";
import type { RawEvent } from "./from-wire.ts";
import type { ExecRequestInit } from "./to-wire.ts";
import { brokenStream, WatchedStream } from "./watched-stream.ts";

/** What to follow, and from where. */
export interface FollowTarget {
  readonly execId: string;
  /** What starts it. Absent: it was started before. Taken away once nothing may be started any more. */
  request?: ExecRequestInit | undefined;
  /** Where to begin, where nothing is started: a cursor, a terminal's screen, or where the server chooses. */
  readonly from: number | "screen" | "default";
  /** Names this reader, so that its next stream takes the place of the one that was cut. */
  readonly readerId: string;
}

/** A stream that is silent for so many heartbeats is dead. */
const silentHeartbeats = 3;
/** A stream that lived so long counts as a connection that works, even if nothing was printed. */
const aliveMs = 2_000;

/**
 * A command's events, over as many streams as it takes: each goes on at the cursor where the last one broke. Ends
 * after `ended`; without it only by an error. With `inTurn` an event's bytes are good only until the next one is asked
 * for.
 */
export async function* follow(
  connection: Connection,
  target: FollowTarget,
  signal?: AbortSignal,
  { inTurn = false } = {},
): AsyncGenerator<RawEvent> {
  const held = inTurn ? 1 : 0;
  const subject: RetrySubject = { execId: target.execId, mayHaveRun: target.request === undefined };
  const retry = connection.retry({ signal, subject });
  let started = false;
  for (;;) {
    const stream = new WatchedStream(
      silentHeartbeats * (connection.peer?.heartbeatMs ?? 10_000),
      signal,
      connection.closed,
    );
    const begin = performance.now();
    try {
      await stream.open((abort) => {
        const { request } = target;
        if (request && !started) {
          const exec = { ...request, readerId: target.readerId };
          return connection.stream(ExecService.method.exec, exec, retry, abort, { held });
        }
        const start = startOf(subject.cursor ?? target.from);
        const attach = { execId: target.execId, readerId: target.readerId, start };
        return connection.stream(ExecService.method.attach, attach, retry, abort, { held });
      });
      for (;;) {
        const message = await stream.next();
        if (message?.event.case === "heartbeat" || performance.now() - begin > aliveMs) retry.progress();
        const event = inOrder(toEvent(message, connection.peer?.platform ?? ""), subject.cursor);
        if (!event) continue;
        if (event.type === "started") {
          if (started) continue;
          started = true;
          subject.mayHaveRun = true;
          retry.progress();
        } else if (event.type !== "ended") {
          subject.cursor = event.nextCursor;
          retry.progress();
        }
        yield event;
        if (event.type === "ended") return;
      }
    } catch (error) {
      // This reader stood still for too long; now that it reads on, it goes on where it stands.
      if (isStalled(error)) continue;
      await retry.after(error);
    } finally {
      stream.close();
    }
  }
}

function startOf(from: number | "screen" | "default") {
  if (typeof from === "number") return { case: "cursor" as const, value: BigInt(from) };
  return from === "screen" ? { case: "screen" as const, value: true } : { case: undefined };
}

/** What of an event is new past `cursor`. A hole that is not told as `lost` is a broken stream. */
function inOrder(event: RawEvent | undefined, cursor: number | undefined): RawEvent | undefined {
  if (event?.type !== "output" || cursor === undefined || event.cursor === cursor) return event;
  if (event.cursor > cursor) throw brokenStream(`output at ${event.cursor} follows on ${cursor}`);
  if (event.nextCursor <= cursor) return undefined;
  const known = cursor - event.cursor;
  const { streamOffset } = event;
  return { ...event, bytes: event.bytes.subarray(known), cursor, streamOffset: streamOffset + known };
}

function isStalled(error: unknown): boolean {
  return error instanceof ConnectError && errorDetail(error)?.reason === ErrorReason.READER_STALLED;
}
