import fc from "fast-check";
import { expect, test } from "vitest";
import { Capture } from "../../client/src/exec/capture.ts";

test("what fits is kept as it is, whichever way it comes", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (chunks) => {
      const all = Buffer.concat(chunks);
      const capture = captureOf(Math.max(1, all.length), chunks);
      const { bytes, text, leftOut } = capture.read();
      expect(Buffer.from(bytes)).toEqual(all);
      expect(text).toBe(all.toString("utf8"));
      expect(leftOut).toBe(0);
    }),
  );
});

test("of what does not fit, the first and the last half are kept, and the rest is counted", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 60 }),
      fc.array(fc.uint8Array({ max: 0x7f, maxLength: 40 }), { maxLength: 20 }),
      (maxBytes, chunks) => {
        const all = Buffer.concat(chunks);
        fc.pre(all.length > maxBytes);
        const { bytes, text, leftOut } = captureOf(maxBytes, chunks).read();
        const head = Math.ceil(maxBytes / 2);
        const kept = Buffer.concat([all.subarray(0, head), all.subarray(all.length - (maxBytes - head))]);
        expect(Buffer.from(bytes)).toEqual(kept);
        expect(text).toBe(kept.toString("latin1"));
        expect(leftOut).toBe(all.length - maxBytes);
      },
    ),
  );
});

test("a character that the cut goes through is left out whole", () => {
  const capture = captureOf(10, [Buffer.from("€".repeat(100))]);
  const { bytes, text, leftOut } = capture.read();
  expect(text).toBe("€€");
  expect(bytes.length).toBe(6);
  expect(leftOut).toBe(294);
});

test("two gigabytes take no more memory than what is kept", () => {
  const chunk = new Uint8Array(1 << 20).fill(0x61);
  const capture = new Capture(1 << 20);
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 0; count < 2048; count++) capture.push(chunk);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
  expect(capture.read().leftOut).toBe(2047 << 20);
});

test("bytes that come one by one take no more memory than their number", () => {
  const capture = new Capture(4 << 20);
  const byte = Uint8Array.of(0x61);
  const before = process.memoryUsage();
  for (let count = 0; count < 4 << 20; count++) capture.push(byte);
  expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(32 << 20);
  expect(capture.read().bytes.length).toBe(4 << 20);
});

test("what was lost on the way is left out between what came before and after", () => {
  const capture = captureOf(100, [Buffer.from("before")]);
  capture.skip(1_000);
  capture.push(Buffer.from("after"));
  expect(capture.read()).toMatchObject({ text: "beforeafter", leftOut: 1_000 });
  capture.skip(5);
  capture.push(Buffer.from("end"));
  expect(capture.read()).toMatchObject({ text: "beforeend", leftOut: 1_010 });
});

function captureOf(maxBytes: number, chunks: readonly Uint8Array[]): Capture {
  const capture = new Capture(maxBytes);
  for (const chunk of chunks) capture.push(chunk);
  return capture;
}
