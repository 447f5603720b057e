import { Code, ConnectError } from "@connectrpc/connect";
import type { Interceptor } from "@connectrpc/connect";
import { interceptStream } from "./intercept-stream.ts";

/**
 * Returns a stream's generator when its call is aborted: by the caller, by a deadline or by the server's stop. Without
 * it the `finally` of a generator that is suspended at a `yield` never runs on some versions of Node, and never in
 * memory. One that is suspended at an `await` of its own has to watch the signal itself.
 *
 * A stream that was cut off so does not look complete: its end is the reason of the abort.
 */
export const returnOnAbort: Interceptor = (next) => async (request) => {
  const response = await next(request);
  if (!response.stream) return response;
  const { signal } = request;
  const iterator: AsyncIterator<object> = response.message[Symbol.asyncIterator]();
  const onAbort = (): void => {
    iterator.return?.()?.catch(() => {});
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });

  const message = interceptStream({ [Symbol.asyncIterator]: () => iterator }, async () => {
    const result = await iterator.next();
    if (result.done === true && signal.aborted) throw abortError(signal);
    return result;
  });
  return { ...response, message: message as typeof response.message };
};

/**
 * What a call that was aborted is answered: a deadline or the server's stop by its own status, anything else as canceled.
 * Which of several causes comes first is a race between the peer's reset and our own timer, so none of them is a fault.
 */
export function abortError(signal: AbortSignal): ConnectError {
  const reason: unknown = signal.reason;
  const isOurs =
    reason instanceof ConnectError && (reason.code === Code.DeadlineExceeded || reason.code === Code.Unavailable);
  return isOurs ? reason : new ConnectError("The caller is gone", Code.Canceled);
}
