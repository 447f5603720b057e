import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext } from "@connectrpc/connect";
import type { UserLease } from "./users.ts";

type Context = Pick<HandlerContext, "signal">;

/** A call with one reply, made to a user's process: ended with the one that it is handed on for. */
export async function handOn(
  lease: UserLease,
  context: Context,
  call: (signal: AbortSignal) => Promise<Message>,
): Promise<Message> {
  try {
    return await call(context.signal);
  } catch (error) {
    throw toldOn(error, lease);
  } finally {
    lease.release();
  }
}

/** A call with many replies, made to a user's process: ended also where nobody takes them any more. */
export async function* handOnReplies(
  lease: UserLease,
  context: Context,
  call: (signal: AbortSignal) => AsyncIterable<Message>,
): AsyncGenerator<Message> {
  const left = new AbortController();
  try {
    yield* call(AbortSignal.any([context.signal, left.signal]));
  } catch (error) {
    throw toldOn(error, lease);
  } finally {
    left.abort();
    lease.release();
  }
}

/** The messages of an iterator whose first was taken to look at; `onFailure` is told what it throws. */
export function resumed(
  iterator: AsyncIterator<Message>,
  first: IteratorResult<Message>,
  onFailure: (error: unknown) => void,
): AsyncIterable<Message> {
  let taken: IteratorResult<Message> | undefined = first;
  const all: AsyncIterator<Message> = {
    async next() {
      const result = taken;
      taken = undefined;
      if (result !== undefined) return result;
      try {
        return await iterator.next();
      } catch (error) {
        onFailure(error);
        throw error;
      }
    },
  };
  if (iterator.return !== undefined) all.return = (value) => iterator.return?.(value) ?? ended();
  if (iterator.throw !== undefined) all.throw = (error) => iterator.throw?.(error) ?? ended();
  return { [Symbol.asyncIterator]: () => all };
}

/** What the process answered, without the headers that it came with. */
function toldOn(error: unknown, { isAlive }: UserLease): unknown {
  if (!(error instanceof ConnectError)) return error;
  if (error.details.length === 0 && !isAlive) {
    return new ConnectError("The process that works as this user ended in the midst of the call", Code.Unavailable);
  }
  const told = new ConnectError(error.rawMessage, error.code, undefined, undefined, error);
  told.details = error.details;
  return told;
}

async function ended(): Promise<IteratorResult<Message>> {
  return { done: true, value: undefined };
}
