import { expect, test } from "vitest";
import fc from "fast-check";
import type { ProcessInput } from "../../../server/src/exec/launcher.ts";
import { StdinFeed } from "../../../server/src/exec/stdin-feed.ts";

const never = new AbortController().signal;

/** Takes writes and lets them go on when told to. */
class Pipe implements ProcessInput {
  readonly written: Uint8Array[] = [];
  isEnded = false;
  readonly #waiting: (() => void)[] = [];
  readonly #isOpen: boolean;

  constructor({ isOpen = true } = {}) {
    this.#isOpen = isOpen;
  }

  write(data: Uint8Array): Promise<void> {
    this.written.push(Buffer.from(data));
    return this.#isOpen ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  letGoOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.letGoOn();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.written);
  }
}

function feed(input: ProcessInput, options: { bufferBytes?: number; isTerminal?: boolean } = {}): StdinFeed {
  return new StdinFeed({ execId: "x", input, isTerminal: false, bufferBytes: 1024, ...options });
}

test("bytes that were taken already are passed over, whatever pieces they come in again", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 30 }),
      async (all, cuts) => {
        const pipe = new Pipe();
        const stdin = feed(pipe);
        for (const [start, length] of cuts) {
          const offset = start % (stdin.offset + 1);
          await stdin.write(offset, all.subarray(offset, offset + (length % 50)), false, never);
        }
        expect(await stdin.write(stdin.offset, all.subarray(stdin.offset), true, never)).toBe(all.length);
        expect(pipe.bytes).toEqual(Buffer.from(all));
      },
    ),
  );
});

test("a gap is refused with the offset to go on from, and changes nothing", async () => {
  const pipe = new Pipe();
  const stdin = feed(pipe);
  await stdin.write(0, Buffer.from("abc"), false, never);
  await expect(stdin.write(5, Buffer.from("x"), false, never)).rejects.toMatchObject({
    reason: "STDIN_OFFSET_GAP",
    context: { expectedOffset: 3 },
  });
  expect(pipe.bytes.toString()).toBe("abc");
});

test("after end-of-file the same bytes are answered again and new ones refused", async () => {
  const pipe = new Pipe();
  const stdin = feed(pipe);
  await stdin.write(0, Buffer.from("abc"), true, never);
  expect(pipe.isEnded).toBe(true);
  expect(await stdin.write(0, Buffer.from("abc"), true, never)).toBe(3);
  await expect(stdin.write(3, Buffer.from("d"), false, never)).rejects.toMatchObject({ reason: "STDIN_CLOSED" });
});

test("a terminal gets its end-of-file character and stays open", async () => {
  const pipe = new Pipe();
  const stdin = feed(pipe, { isTerminal: true });
  await stdin.write(0, Buffer.from("a"), true, never);
  expect(pipe.bytes).toEqual(Buffer.from("a\x04"));
  expect(stdin.isOpen).toBe(true);
});

test("a write waits while the command does not read, and goes on when it does", async () => {
  const pipe = new Pipe({ isOpen: false });
  const stdin = feed(pipe, { bufferBytes: 64 * 1024 });
  const big = Buffer.alloc(200 * 1024, "x");
  let isTaken = false;
  const write = stdin.write(0, big, false, never).then((offset) => {
    isTaken = true;
    return offset;
  });
  while (!isTaken) {
    expect(pipe.bytes.length - stdin.offset).toBeLessThanOrEqual(0);
    pipe.letGoOn();
    await new Promise(setImmediate);
  }
  expect(await write).toBe(big.length);
  expect(pipe.bytes.equals(big)).toBe(true);
});

test("a call that is given up while it waits has taken what it handed over and no more", async () => {
  const pipe = new Pipe({ isOpen: false });
  const stdin = feed(pipe, { bufferBytes: 64 * 1024 });
  const caller = new AbortController();
  const write = stdin.write(0, Buffer.alloc(200 * 1024), false, caller.signal);
  await new Promise(setImmediate);
  caller.abort();
  await expect(write).rejects.toThrow();
  expect(stdin.offset).toBe(pipe.bytes.length);
});
