import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { DescMessage, DescMethodServerStreaming, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { GitService, type GitProgress as WireProgress, type GitStarted } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import { throwIfAborted } from "../connection/retry.ts";
import { NotFound } from "../errors.ts";
import type { GitProgress } from "./git-results.ts";

/** What every stream of an operation brings, whatever its result. */
interface OperationReply {
  readonly event:
    | { readonly case: "started"; readonly value: GitStarted }
    | { readonly case: "progress"; readonly value: WireProgress }
    | { readonly case: "heartbeat"; readonly value: unknown }
    | { readonly case: "result"; readonly value: unknown }
    | { readonly case: undefined; readonly value?: undefined };
}

type ResultOf<Reply> = Reply extends { event: infer Event }
  ? Event extends { case: "result"; value: infer Value }
    ? Value
    : never
  : never;

export interface FollowOptions {
  readonly onProgress?: ((progress: GitProgress) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const CANCEL_TRIES = 3;
const CANCEL_PAUSE_MS = 100;

/**
 * Starts an operation and follows it to its result, over as many connections as it takes: the request's id makes each
 * further call join the first one's operation, and once it is known to run, on the server that runs it alone. Aborting
 * the signal ends the operation.
 */
export async function followOperation<I extends DescMessage, O extends DescMessage>(
  connection: Connection,
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  options: FollowOptions,
): Promise<ResultOf<MessageShape<O>>> {
  const requestId = randomUUID();
  const { user = "" } = request as { user?: string };
  let expectedInstanceId = "";
  const retry = connection.retry({ signal: options.signal });
  for (;;) {
    throwIfAborted(options.signal);
    const abort = new LinkedAbort(options.signal, connection.closed);
    const silentMs = 3 * (connection.peer?.heartbeatMs ?? 10_000);
    const silence = setTimeout(
      () => abort.abort(new ConnectError("the stream fell silent", Code.Unavailable)),
      silentMs,
    );
    try {
      const own = { ...request, requestId, expectedInstanceId };
      const replies = await connection.stream(method, own, retry, abort.signal);
      for await (const reply of { [Symbol.asyncIterator]: () => replies }) {
        silence.refresh();
        retry.progress();
        const { event } = reply as unknown as OperationReply;
        if (event.case === "started") expectedInstanceId = event.value.instanceId;
        if (event.case === "progress") await options.onProgress?.(progressOf(event.value));
        if (event.case === "result") return event.value as ResultOf<MessageShape<O>>;
      }
      throw new ConnectError("the stream ended without a result", Code.Unavailable);
    } catch (error) {
      if (options.signal?.aborted === true) await cancel(connection, { requestId, expectedInstanceId, user });
      const isOurs = abort.signal.aborted && !connection.closed.aborted && options.signal?.aborted !== true;
      await retry.after(isOurs ? abort.signal.reason : error);
    } finally {
      clearTimeout(silence);
      abort.abort(new ConnectError("the reader has gone", Code.Canceled));
      abort.release();
    }
  }
}

/**
 * Ends the operation. One that is not there may still be on its way to the server, so it is looked for again; one that
 * never was or has ended needs no end.
 */
async function cancel(
  connection: Connection,
  operation: { requestId: string; expectedInstanceId: string; user: string },
): Promise<void> {
  for (let tries = 0; tries < CANCEL_TRIES; tries++) {
    try {
      await connection.call(GitService.method.cancelOperation, operation);
      return;
    } catch (error) {
      if (!NotFound.is(error) || operation.expectedInstanceId !== "") return;
      await delay(CANCEL_PAUSE_MS);
    }
  }
}

function progressOf({ phase, done, total, detail }: WireProgress): GitProgress {
  return { phase, done: Number(done), total: total === 0n ? undefined : Number(total), detail };
}
