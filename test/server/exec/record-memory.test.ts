import { expect, it } from "vitest";
import { RecordMemory } from "../../../server/src/exec/journal/record-memory.ts";

const KIB = 1024;

it("uses the memory of records again that are gone", () => {
  const memory = new RecordMemory();
  const records: Buffer[] = [];
  const seen = new Set<ArrayBufferLike>();
  for (let i = 0; i < 1_000; i++) {
    const record = memory.take(64 * KIB + 4).fill(i);
    seen.add(record.buffer);
    records.push(record);
    if (records.length > 16) memory.giveBack(records.shift() ?? record);
    for (const [age, each] of records.toReversed().entries()) expect(each[0]).toBe((i - age) % 256);
  }
  expect(seen.size).toBeLessThan(20);
});

it("takes little for a few small records", () => {
  const memory = new RecordMemory();
  const bytes = new Set(Array.from({ length: 4 }, () => memory.take(5 * KIB).buffer)).values();
  expect([...bytes].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(40 * KIB);
});
