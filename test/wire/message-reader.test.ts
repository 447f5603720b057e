import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { DownloadResponseSchema } from "@yonder/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageMemory } from "../../wire/src/message-memory.ts";
import { MessageReader } from "../../wire/src/message-reader.ts";

const maxBytes = 40_000;

describe("MessageReader", () => {
  test("reads small and large messages from a stream that is cut anywhere", () => {
    const sizes = fc.array(fc.oneof(fc.nat(50), fc.nat(9_000)), { maxLength: 8 });
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(9_000)), fc.boolean(), (lengths, cuts, reuse) => {
        const messages = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const reader = newReader(reuse);
        push(reader, Buffer.concat(messages.map(envelopeOf)), cuts);
        expect(reader.isCut).toBe(false);
        const read = reader.ready.map(({ message }) => dataOf(message));
        expect(read.map((data) => Buffer.from(data))).toEqual(messages);
      }),
      { numRuns: 500 },
    );
  });

  test("knows of a stream that ends in the middle of a message", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8_000 }), fc.array(fc.nat(3_000)), (length, cuts) => {
        const reader = newReader();
        push(reader, envelopeOf(Buffer.alloc(8_000)).subarray(0, length), cuts);
        expect([reader.isCut, reader.ready.length]).toEqual([true, 0]);
      }),
    );
  });

  test("refuses what is too large, compressed, or no message", () => {
    const refusal = (bytes: Uint8Array): unknown => {
      try {
        return newReader().push(bytes);
      } catch (error) {
        return error;
      }
    };
    expect(refusal(envelopeOf(Buffer.alloc(maxBytes)))).toMatchObject({ code: Code.ResourceExhausted });
    expect(refusal(encodeEnvelope(1, new Uint8Array(3)))).toMatchObject({ code: Code.Internal });
    expect(refusal(encodeEnvelope(0, new Uint8Array([255])))).toMatchObject({ code: Code.Internal });
  });

  test("uses the memory of a large message again that was given back, where it may", () => {
    for (const reuse of [true, false]) {
      const memory = new MessageMemory();
      memory.held = reuse ? 1 : 0;
      const reader = new MessageReader(DownloadResponseSchema, maxBytes, memory);
      reader.push(envelopeOf(Buffer.alloc(8_000, 1)));
      const first = reader.take();
      if (first === undefined) throw new Error("nothing was read");
      memory.giveBack(first.memory);
      reader.push(envelopeOf(Buffer.alloc(8_000, 2)));
      expect(reader.take()?.memory === first.memory).toBe(reuse);
      expect(dataOf(first.message)[0]).toBe(reuse ? 2 : 1);
    }
  });
});

test("memory that is not used is not kept without end", () => {
  const memory = new MessageMemory();
  memory.held = 1;
  const all = Array.from({ length: 40 }, () => memory.take(1 << 20));
  for (const each of all) memory.giveBack(each);
  memory.giveBack(Buffer.alloc(100));
  const again = Array.from({ length: 40 }, () => memory.take(1 << 20));
  const known = again.filter((each) => all.includes(each)).length;
  expect(known).toBeGreaterThan(10);
  expect(known).toBeLessThanOrEqual(16);
});

function newReader(reuse = false) {
  const memory = new MessageMemory();
  memory.held = reuse ? 1 : 0;
  return new MessageReader(DownloadResponseSchema, maxBytes, memory);
}

function envelopeOf(data: Uint8Array): Uint8Array {
  const message = create(DownloadResponseSchema, { part: { case: "chunk", value: { data } } });
  return encodeEnvelope(0, toBinary(DownloadResponseSchema, message));
}

function dataOf({ part }: { part: { case?: string | undefined; value?: unknown } }): Uint8Array {
  if (part.case !== "chunk") throw new Error(`no chunk: ${part.case}`);
  return (part.value as { data: Uint8Array }).data;
}

function push(reader: ReturnType<typeof newReader>, bytes: Uint8Array, cuts: readonly number[]): void {
  let at = 0;
  for (const cut of cuts) {
    reader.push(bytes.subarray(at, at + cut));
    at = Math.min(bytes.length, at + cut);
  }
  reader.push(bytes.subarray(at));
}
