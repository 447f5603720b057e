import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { inBatches } from "../../wire/src/in-batches.ts";

/** Numbers from 1 on, as they are asked for. */
class Numbers implements AsyncIterable<number>, AsyncIterator<number> {
  asked = 0;
  isReturned = false;
  readonly #count: number;
  readonly #error: Error | undefined;

  constructor(count: number, error?: Error) {
    this.#count = count;
    this.#error = error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<number>> {
    if (this.asked < this.#count) return Promise.resolve({ done: false, value: ++this.asked });
    return this.#error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(this.#error);
  }

  return(): Promise<IteratorResult<number>> {
    this.isReturned = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}

test("what comes while the reader is busy is one batch, and all come in order", async () => {
  const seen: number[][] = [];
  for await (const batch of inBatches(new Numbers(10), 4)) {
    seen.push(batch);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }
  expect(seen.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(seen.length).toBeLessThan(10);
});

test.each([1, 2, 4])("the reader and the next batch together hold at most %i values", async (most) => {
  const numbers = new Numbers(50);
  let done = 0;
  for await (const batch of inBatches(numbers, most)) {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    expect(numbers.asked - done).toBeLessThanOrEqual(most);
    done += batch.length;
  }
  expect(done).toBe(50);
});

test("what came before an error is read before it", async () => {
  const seen: number[] = [];
  const read = async (): Promise<void> => {
    for await (const batch of inBatches(new Numbers(3, new Error("cut")), 4)) {
      seen.push(...batch);
      await nextTurn();
    }
  };
  await expect(read()).rejects.toThrow("cut");
  expect(seen).toEqual([1, 2, 3]);
});

test("a source whose reader leaves is told, also while it is asked for more", async () => {
  const numbers = new Numbers(9);
  for await (const batch of inBatches(numbers, 1)) {
    expect(batch).toEqual([1]);
    break;
  }
  expect(numbers.isReturned).toBe(true);
});
