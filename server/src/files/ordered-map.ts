/**
 * Maps with several acts under way at once, and yields the results in the order of the source. At most `width` results
 * wait to be taken, so a slow reader holds the source back.
 */
export async function* orderedMap<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  width: number,
  map: (value: T) => Promise<R>,
  discard: (result: R) => Promise<void> = () => Promise.resolve(),
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const value of source) {
      const result = map(value);
      // Seen when its turn comes.
      result.catch(() => {});
      pending.push(result);
      if (pending.length >= width) yield await (pending.shift() as Promise<R>);
    }
    while (pending.length > 0) yield await (pending.shift() as Promise<R>);
  } finally {
    await Promise.all(pending.map((result) => result.then(discard, () => {})));
  }
}
