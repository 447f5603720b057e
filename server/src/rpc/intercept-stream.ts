/**
 * The iterable with `next` in the place of its iterator's own. `return` and `throw` still reach the source, so that a
 * generator behind it can clean up.
 */
export function interceptStream<T>(
  source: AsyncIterable<T>,
  next: (iterator: AsyncIterator<T>) => Promise<IteratorResult<T>>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      const intercepted: AsyncIterator<T> = { next: () => next(iterator) };
      // Only where the source has them: their presence means something to who calls.
      if (iterator.return !== undefined) intercepted.return = (value) => iterator.return?.(value) ?? ended(value);
      if (iterator.throw !== undefined) intercepted.throw = (error) => iterator.throw?.(error) ?? Promise.reject(error);
      return intercepted;
    },
  };
}

async function ended<T>(value: T | PromiseLike<T> | undefined): Promise<IteratorResult<never>> {
  return { done: true, value: await value };
}
