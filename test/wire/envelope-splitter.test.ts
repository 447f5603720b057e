import { create, equals, toBinary } from "@bufbuild/protobuf";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { DownloadResponseSchema } from "@yonder/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EnvelopeSplitter } from "../../wire/src/envelope-splitter.ts";
import { heavy } from "../../wire/src/gather.ts";
import { Lane } from "../../wire/src/lane.ts";

const maxBytes = 40_000;
const token = encodeEnvelope(0, new Uint8Array(0));

interface Sample {
  readonly flags: number;
  readonly data: Uint8Array;
  /** Whether it is one that is taken out. */
  readonly isLarge: boolean;
}

describe("EnvelopeSplitter", () => {
  test("takes large messages out of a stream that is cut anywhere, and passes on all else as it is", () => {
    fc.assert(
      fc.property(
        fc.array(anyEnvelope(), { maxLength: 8 }),
        fc.array(fc.nat(9_000)),
        fc.boolean(),
        (envelopes, cuts, reuse) => {
          const lane = newLane();
          lane.held = reuse ? 1 : 0;
          const passed = split(lane, Buffer.concat(envelopes.map(bytesOf)), cuts);
          const expected = envelopes.map((each) => (each.isLarge ? token : bytesOf(each)));
          expect(Buffer.concat(passed).equals(Buffer.concat(expected))).toBe(true);

          const messages = envelopes.filter(({ flags }) => flags <= 1);
          expect(lane.incoming.map((lent) => lent !== undefined)).toEqual(messages.map(({ isLarge }) => isLarge));
          messages.forEach(({ data, isLarge }, index) => {
            const message = lane.incoming[index]?.message;
            if (!isLarge || message === undefined) return;
            expect(Buffer.from(toBinary(DownloadResponseSchema, message as never)).equals(data)).toBe(true);
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  test("leaves a stream whole that ends in the middle of a message", () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.array(fc.nat(3_000)), (missing, cuts) => {
        const whole = bytesOf(large(8_000));
        const cut = whole.subarray(0, Math.max(0, whole.length - 1 - missing));
        expect(Buffer.concat(split(newLane(), cut, cuts)).equals(cut)).toBe(true);
      }),
    );
  });

  test("touches nothing of a call that is not a stream of messages", () => {
    const bytes = bytesOf(large(8_000));
    expect(split(new Lane(), bytes, [])).toEqual([bytes]);
  });

  test("uses memory that was given back again, and never memory that is still read", () => {
    const lane = newLane();
    lane.held = 1;
    const splitter = new EnvelopeSplitter(lane, maxBytes);
    const seen = new Set<Uint8Array>();
    for (let round = 1; round <= 20; round++) {
      const first = large(9_000, round);
      const second = large(9_000, round + 1);
      splitter.split(Buffer.concat([bytesOf(first), bytesOf(second)]));
      const [a, b] = [lane.shift(), lane.shift()];
      for (const [lent, { data }] of [
        [a, first],
        [b, second],
      ] as const) {
        if (lent === undefined) throw new Error("a large message was not taken out");
        expect(Buffer.from(toBinary(DownloadResponseSchema, lent.message as never)).equals(data)).toBe(true);
        seen.add(lent.memory);
      }
      for (const lent of [a, b]) if (lent !== undefined) lane.giveBack(lent.memory);
    }
    expect(seen.size).toBe(2);
  });

  test("keeps each message's own memory where nothing is given back", () => {
    const lane = newLane();
    split(lane, Buffer.concat([large(9_000, 1), large(9_000, 2)].map(bytesOf)), []);
    const [a, b] = lane.incoming;
    expect(a && b && equals(DownloadResponseSchema, a.message as never, b.message as never)).toBe(false);
    expect(a?.memory).not.toBe(b?.memory);
  });
});

function newLane(): Lane {
  const lane = new Lane();
  lane.types = { incoming: DownloadResponseSchema, outgoing: DownloadResponseSchema };
  return lane;
}

/** What is passed on of bytes that come in pieces of these sizes, over and over. */
function split(lane: Lane, bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const splitter = new EnvelopeSplitter(lane, maxBytes);
  const sizes = cuts.filter((size) => size > 0);
  const passed: Uint8Array[] = [];
  for (let [at, index] = [0, 0]; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    passed.push(...splitter.split(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...passed, ...splitter.end()];
}

function bytesOf({ flags, data }: Pick<Sample, "flags" | "data">): Buffer {
  return Buffer.from(encodeEnvelope(flags, data));
}

function large(length: number, fill = 3): Sample {
  const data = new Uint8Array(length).fill(fill);
  const message = create(DownloadResponseSchema, { part: { case: "chunk", value: { data, offset: 3n, crc32: 4 } } });
  return { flags: 0, data: toBinary(DownloadResponseSchema, message), isLarge: true };
}

function anyEnvelope(): fc.Arbitrary<Sample> {
  const plain = (flags: number, length: number, fill: number): Sample => {
    return { flags, data: new Uint8Array(length).fill(fill), isLarge: false };
  };
  return fc.oneof(
    fc.integer({ min: heavy.fromBytes, max: 30_000 }).map((length) => large(length)),
    // Small ones, of whatever is in them.
    fc.nat(heavy.fromBytes - 1).map((length) => plain(0, length, 8)),
    // Compressed, the end of a Connect stream, and the trailers of gRPC-Web.
    fc.tuple(fc.constantFrom(1, 2, 3, 0x80), fc.nat(10_000)).map(([flags, length]) => plain(flags, length, 8)),
    // No message at all, and one that is too large: Connect says so.
    fc.integer({ min: heavy.fromBytes, max: 10_000 }).map((length) => plain(0, length, 0xff)),
    fc.integer({ min: maxBytes + 1, max: maxBytes + 100 }).map((length) => plain(0, length, 8)),
  );
}
