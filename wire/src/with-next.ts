/** An iterator with another `next`. `return` and `throw` still reach the source, where it has them: Connect asks. */
export function withNext<T, U>(source: AsyncIterator<T>, next: () => Promise<IteratorResult<U>>): AsyncIterator<U> {
  const iterator: AsyncIterator<U> = { next };
  if (source.return !== undefined) iterator.return = async (value) => ended(await source.return?.(value));
  if (source.throw !== undefined) iterator.throw = async (error) => ended(await source.throw?.(error));
  return iterator;
}

/** A source that yields once more instead of ending is at its end all the same. */
function ended(result: IteratorResult<unknown> | undefined): IteratorReturnResult<unknown> {
  return { done: true, value: result?.value };
}
