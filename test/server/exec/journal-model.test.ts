import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Journal } from "../../../server/src/exec/journal/journal.ts";
import type { OutputStream } from "../../../server/src/exec/spec.ts";

const KIB = 1024;

type Action =
  | { do: "append"; stream: OutputStream; bytes: number; times: number; wait: boolean }
  | { do: "read"; at: number; maxBytes: number }
  | { do: "drop" };

const sizes = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1, 2, 63, 64, 65) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 * KIB }) },
  { weight: 2, arbitrary: fc.constantFrom(4 * KIB - 1, 4 * KIB, 16 * KIB, 16 * KIB + 1, 64 * KIB, 64 * KIB + 1) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200 * KIB }) },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      stream: fc.constantFrom<OutputStream>("stdout", "stderr"),
      bytes: sizes,
      times: fc.constantFrom(1, 1, 1, 2, 30),
      wait: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      maxBytes: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 * KIB })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "drop" as const }) },
);

/** What a journal should hold: every byte ever appended, and the stream of each. */
class Model {
  #bytes = Buffer.alloc(0);
  #streams = Buffer.alloc(0);
  #seed = 1;

  next(stream: OutputStream, length: number): Buffer {
    const data = Buffer.alloc(length);
    for (let i = 0; i < length; i++) data[i] = (this.#seed = (this.#seed * 75 + 74) % 65537) & 0xff;
    this.#bytes = Buffer.concat([this.#bytes, data]);
    this.#streams = Buffer.concat([this.#streams, Buffer.alloc(length, stream === "stdout" ? 1 : 2)]);
    return data;
  }

  get end(): number {
    return this.#bytes.length;
  }

  printed(stream: OutputStream, cursor: number): number {
    const code = stream === "stdout" ? 1 : 2;
    let count = 0;
    for (let i = 0; i < cursor; i++) if (this.#streams[i] === code) count++;
    return count;
  }

  async check(journal: Journal, cursor: number, maxBytes: number): Promise<void> {
    const { lost, chunks, nextCursor } = await journal.read(cursor, maxBytes);
    let at = cursor;
    if (lost !== undefined) {
      expect(lost.beginCursor).toBe(cursor);
      expect(lost.endCursor).toBeGreaterThan(cursor);
      expect(lost.stdoutBytes + lost.stderrBytes).toBe(lost.endCursor - cursor);
      expect(Math.min(lost.stdoutBytes, lost.stderrBytes)).toBeGreaterThanOrEqual(0);
      if (cursor === 0) expect(lost.stdoutBytes).toBe(this.printed("stdout", lost.endCursor));
      at = lost.endCursor;
    }
    const begin = at;
    for (const chunk of chunks) {
      const end = at + chunk.data.length;
      expect(chunk.cursor).toBe(at);
      expect(chunk.streamOffset).toBe(this.printed(chunk.stream, at));
      expect(this.#bytes.subarray(at, end).equals(chunk.data)).toBe(true);
      expect(this.#streams.subarray(at, end).every((code) => code === (chunk.stream === "stdout" ? 1 : 2))).toBe(true);
      at = end;
    }
    expect(nextCursor).toBe(at);
    expect(at - begin).toBeLessThanOrEqual(maxBytes);
    if (begin < journal.endCursor) expect(at).toBeGreaterThan(begin);
  }
}

it("reads back what was appended, whatever was appended, read and dropped in between", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(1, 4 * KIB, 64 * KIB, 256 * KIB),
      fc.constantFrom(100 * KIB, 400 * KIB, 64 * 1024 * KIB),
      async (actions, memoryBytes, keepBytes) => {
        const directory = mkdtempSync(join(tmpdir(), "yonder-journal-"));
        const options = { directory, name: "7", memoryBytes, keepBytes };
        const journal = new Journal(options);
        const model = new Model();
        try {
          let appended: Promise<void> = Promise.resolve();
          let isSettled = true;
          let isDropped = false;
          for (const act of actions) {
            if (act.do === "append") {
              for (let i = 0; i < act.times; i++) {
                const mostBegin = journal.beginCursorAfter(act.bytes);
                appended = journal.append(act.stream, model.next(act.stream, act.bytes));
                const mayDrop = !isSettled || isDropped || journal.diskBytes + act.bytes + KIB > keepBytes;
                if (!mayDrop) expect(mostBegin).toBe(journal.beginCursor);
                isSettled = act.wait;
                if (!act.wait) continue;
                await appended;
                expect(journal.endCursor).toBe(model.end);
                expect(journal.beginCursor).toBeLessThanOrEqual(mostBegin);
                expect(journal.diskBytes).toBeLessThan(keepBytes + Math.max(64 * KIB, keepBytes / 16) + 65 * KIB);
              }
            } else if (act.do === "read") {
              await model.check(journal, Math.floor(act.at * journal.endCursor), act.maxBytes);
            } else {
              isDropped = journal.dropOldest() > 0 || isDropped;
            }
          }
          await appended;
          expect(journal.stdoutBytes).toBe(model.printed("stdout", model.end));
          await journal.close();
          for (const reopened of [journal, await Journal.recover(options)]) {
            // After a file was dropped, memory may reach further back than the files.
            expect(reopened.beginCursor).toBeGreaterThanOrEqual(journal.beginCursor);
            expect(reopened.endCursor).toBe(model.end);
            expect(reopened.stderrBytes).toBe(model.printed("stderr", model.end));
            for (const share of [0, 0.3, 0.9, 1]) {
              await model.check(reopened, Math.floor(share * model.end), 100 * KIB);
            }
          }
          await journal.remove();
        } finally {
          rmSync(directory, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 60 },
  );
});
