import fc from "fast-check";
import { expect, test } from "vitest";
import { ChunkDecoder, danglingHead, decodeText, incompleteTail } from "../../client/src/exec/text-decoder.ts";

/** Bytes in which whole, cut and impossible sequences are all frequent. */
const nastyBytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme" }).map((text) => [...Buffer.from(text)]),
      fc.array(
        fc.constantFrom(0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xf5),
      ),
      fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 8 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

test("text is the same wherever its bytes are cut", () => {
  const cuts = fc.array(fc.nat(60), { maxLength: 10 });
  fc.assert(
    fc.property(nastyBytes, cuts, (bytes, positions) => {
      const decoder = new ChunkDecoder();
      const text = chunks(bytes, positions).map((chunk) => decoder.push(chunk));
      expect([...text, decoder.flush()].join("")).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test("cut into single bytes, a character comes with its last one", () => {
  const decoder = new ChunkDecoder();
  const texts = [...Buffer.from("aé€😀")].map((byte) => decoder.push(Uint8Array.of(byte)));
  expect(texts).toEqual(["a", "", "é", "", "", "€", "", "", "", "😀"]);
});

test("an impossible beginning is not waited for", () => {
  expect(new ChunkDecoder().push(Uint8Array.of(0xe0, 0x80))).toBe("\ufffd\ufffd");
  expect(new ChunkDecoder().push(Uint8Array.of(0xff))).toBe("\ufffd");
});

test("a byte order mark is text", () => {
  expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
});

test("a character cut in two is seen from both sides", () => {
  const bytes = Buffer.from("x😀y");
  for (const at of [2, 3, 4]) {
    expect(incompleteTail(bytes.subarray(0, at))).toBe(at - 1);
    expect(danglingHead(bytes.subarray(at))).toBe(5 - at);
  }
  expect(incompleteTail(bytes)).toBe(0);
  expect(danglingHead(bytes)).toBe(0);
});

function chunks(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const edges = [0, ...positions.map((at) => Math.min(at, bytes.length)).toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}

test("what is left of a character outlives the memory that it came in", () => {
  const decoder = new ChunkDecoder();
  const memory = Buffer.from("€");
  expect(decoder.push(memory.subarray(0, 2))).toBe("");
  const [, , last = 0] = memory;
  memory.fill(0);
  expect(decoder.push(Uint8Array.of(last))).toBe("€");
});
