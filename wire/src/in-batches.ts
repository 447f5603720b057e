/**
 * The values of a source in batches: of those that came while the reader was busy with the batch before, so that what costs
 * him the same for one as for many is done less often where he is the slower one. He and the next batch together hold
 * `most` values, and a value is his until he asks for the next batch.
 */
export async function* inBatches<T>(source: AsyncIterable<T>, most: number): AsyncGenerator<T[]> {
  const iterator = source[Symbol.asyncIterator]();
  let batch: T[] = [];
  let held = 0;
  let isAsking = false;
  let end: { readonly error: unknown; readonly isFailure: boolean } | undefined;
  let waiting = Promise.withResolvers<void>();
  const ask = (): void => {
    if (isAsking || end !== undefined || batch.length + held >= most) return;
    isAsking = true;
    iterator.next().then(
      (result) => {
        isAsking = false;
        if (result.done === true) end = { error: undefined, isFailure: false };
        else batch.push(result.value);
        waiting.resolve();
        ask();
      },
      (error: unknown) => {
        end = { error, isFailure: true };
        waiting.resolve();
      },
    );
  };
  try {
    for (;;) {
      ask();
      if (batch.length === 0 && end === undefined) {
        waiting = Promise.withResolvers();
        await waiting.promise;
      }
      const taken = batch;
      batch = [];
      if (taken.length > 0) {
        held = taken.length;
        ask();
        yield taken;
        held = 0;
      } else if (end?.isFailure === true) {
        throw end.error;
      } else if (end !== undefined) {
        return;
      }
    }
  } finally {
    // Not waited for: it may stand behind a value that never comes.
    if (end === undefined) void iterator.return?.().then(undefined, () => {});
  }
}
