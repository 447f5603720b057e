import { expect, test } from "vitest";
import { Readers } from "../../../server/src/exec/readers.ts";

const KEEP_BYTES = 1_000;
const options = { stallTimeoutMs: 0, reconnectGraceMs: 60_000, keepBytes: KEEP_BYTES };

test("nobody needs a byte where nobody reads", () => {
  expect(new Readers(options).neededCursor()).toBe(Infinity);
});

test("the reader that is furthest behind says which bytes are needed", () => {
  const readers = new Readers(options);
  readers.attach("a", 10).movedTo(5_000);
  readers.attach("b", 10).movedTo(4_000);
  expect(readers.neededCursor()).toBe(4_000 - KEEP_BYTES / 2);
});

test("bytes under way are still needed, but none before the reader's start", () => {
  const readers = new Readers(options);
  const reader = readers.attach("a", 100);
  reader.movedTo(300);
  expect(readers.neededCursor()).toBe(100);
  reader.movedTo(10_000);
  expect(readers.neededCursor()).toBe(10_000 - KEEP_BYTES / 2);
});

test("a reader that was cut off keeps its bytes for a while", () => {
  const readers = new Readers(options);
  readers.detach(readers.attach("a", 0), true);
  expect(readers.size).toBe(0);
  expect(readers.neededCursor()).toBe(0);
  readers.clear();
  expect(readers.neededCursor()).toBe(Infinity);
});

test("a reader that had everything needs nothing any more", () => {
  const readers = new Readers(options);
  readers.detach(readers.attach("a", 0), false);
  expect(readers.neededCursor()).toBe(Infinity);
});

test("a reader that comes back by its id takes the place of the one that was cut off", () => {
  const readers = new Readers(options);
  readers.detach(readers.attach("a", 0), true);
  readers.attach("a", 7_000);
  expect(readers.neededCursor()).toBe(7_000);
});

test("a reader that comes back before its cut is noticed takes the place of its former stream", () => {
  const readers = new Readers(options);
  const former = readers.attach("a", 0);
  let relieved = 0;
  readers.relieved.subscribe(() => (relieved += 1));
  readers.attach("a", 7_000);
  expect(readers.neededCursor()).toBe(7_000);
  expect(relieved).toBe(1);
  readers.detach(former, true);
  expect(readers.neededCursor()).toBe(7_000);
});

test("a reader that stands still with output waiting is dropped and needs nothing", () => {
  const readers = new Readers(options);
  const standing = readers.attach("a", 0);
  const moving = readers.attach("b", 0);
  standing.handedOver();
  moving.handedOver();
  moving.movedTo(50);
  let relieved = 0;
  readers.relieved.subscribe(() => (relieved += 1));
  readers.dropStanding(100);
  expect([standing.isDropped, moving.isDropped]).toEqual([true, false]);
  expect(relieved).toBe(1);
  readers.detach(standing, true);
  expect(readers.neededCursor()).toBe(0);
});

test("a reader that waits for output that is not there yet is not dropped", () => {
  const readers = new Readers(options);
  const waiting = readers.attach("a", 100);
  waiting.handedOver();
  readers.dropStanding(100);
  expect(waiting.isDropped).toBe(false);
});

test("readers are behind while one has yet to read what was printed, or to come back for it", () => {
  const readers = new Readers(options);
  expect(readers.areBehind(100)).toBe(false);
  const reader = readers.attach("a", 0);
  expect(readers.areBehind(100)).toBe(true);
  reader.movedTo(100);
  expect(readers.areBehind(100)).toBe(false);
  readers.detach(reader, true);
  expect(readers.areBehind(100)).toBe(true);
  readers.clear();
  expect(readers.areBehind(100)).toBe(false);
});
