import type { Connection } from "./connection.ts";
import { LinkedAbort } from "./linked-abort.ts";
import { throwIfAborted } from "./retry.ts";

/**
 * What a source of the caller's gives, which may be nothing for ever: an abort, or the end of the workspace, ends the wait
 * for it and tells the source to let go.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  { closed }: Pick<Connection, "closed">,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const abort = new LinkedAbort(closed, signal);
  let onAbort = (): void => {};
  abort.signal.addEventListener("abort", () => onAbort());
  const next = (): Promise<IteratorResult<T>> => {
    return new Promise((resolve, reject) => {
      onAbort = () => {
        try {
          closed.throwIfAborted();
          throwIfAborted(signal);
        } catch (error) {
          reject(error);
        }
      };
      if (abort.signal.aborted) onAbort();
      else iterator.next().then(resolve, reject);
    });
  };
  try {
    for (let result = await next(); result.done !== true; result = await next()) yield result.value;
  } finally {
    abort.release();
    const letGo = async () => iterator.return?.();
    // One that gives nothing is not waited for: it lets go once it gives something.
    if (abort.signal.aborted) void letGo().catch(() => {});
    else await letGo();
  }
}
