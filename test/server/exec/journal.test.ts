import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Journal, type JournalOptions, type JournalRead } from "../../../server/src/exec/journal/journal.ts";
import { journalFiles } from "../../../server/src/exec/journal/recover.ts";
import { OutOfRange } from "../../../server/src/util/errors.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "yonder-journal-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function options(changed: Partial<JournalOptions> = {}): JournalOptions {
  return { directory, name: "1", memoryBytes: MIB, keepBytes: 64 * MIB, ...changed };
}

describe("Journal", () => {
  it("touches no file until the first byte", async () => {
    const journal = new Journal(options());
    expect(await journal.read(0, KIB)).toEqual({ lost: undefined, chunks: [], nextCursor: 0 });
    await journal.append("stdout", Buffer.alloc(0));
    await journal.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("reads back what was appended, both streams interleaved as they came", async () => {
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.from("one "));
    await journal.append("stdout", Buffer.from("two "));
    await journal.append("stderr", Buffer.from("oops "));
    await journal.append("stdout", Buffer.from("three"));

    const { chunks, nextCursor, lost } = await journal.read(0, MIB);

    expect(lost).toBeUndefined();
    expect(nextCursor).toBe(18);
    expect(chunks.map(({ data, ...place }) => ({ ...place, text: Buffer.from(data).toString() }))).toEqual([
      { cursor: 0, stream: "stdout", streamOffset: 0, text: "one two " },
      { cursor: 8, stream: "stderr", streamOffset: 0, text: "oops " },
      { cursor: 13, stream: "stdout", streamOffset: 8, text: "three" },
    ]);
    expect(journal).toMatchObject({ beginCursor: 0, endCursor: 18, stdoutBytes: 13, stderrBytes: 5 });
    await journal.close();
  });

  it("reads at most as many bytes as asked for, from any cursor", async () => {
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.from("0123456789"));
    expect(textOf(await journal.read(3, 4))).toBe("3456");
    expect(textOf(await journal.read(10, 4))).toBe("");
    expect(await journal.read(3, 0)).toEqual({ lost: undefined, chunks: [], nextCursor: 3 });
    await journal.close();
  });

  it("refuses a cursor past the end and says where the end is", async () => {
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.from("hi"));
    const refused = journal.read(3, 1);
    await expect(refused).rejects.toBeInstanceOf(OutOfRange);
    await expect(refused).rejects.toMatchObject({ reason: "CURSOR_OUT_OF_RANGE", context: { expectedOffset: 2 } });
    await journal.close();
  });

  it("keeps its files from other users", async () => {
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.from("secret"));
    const [file = ""] = readdirSync(directory);
    expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    await journal.close();
  });

  it("hands out what is in memory without its file", async () => {
    const journal = new Journal(options());
    const printed = Buffer.alloc(64 * KIB, "x");
    await journal.append("stdout", printed);
    for (const file of readdirSync(directory)) truncateSync(join(directory, file));
    const { chunks } = await journal.read(0, 64 * KIB);
    expect(printed.equals(chunks[0]?.data ?? Buffer.alloc(0))).toBe(true);
    await journal.close();
  });

  it("shares no memory with those who append and read", async () => {
    const journal = new Journal(options());
    const memory = Buffer.alloc(64 * KIB);
    const all = Buffer.concat(Array.from({ length: 40 }, (_, i) => Buffer.alloc(50 * KIB, i)));
    for (let i = 0; i < 40; i++) {
      const appended = journal.append("stdout", memory.fill(i).subarray(0, 50 * KIB));
      memory.fill(255);
      await appended;
    }
    for (let cursor = 0; cursor < all.length;) {
      const { chunks, nextCursor } = await journal.read(cursor, 100 * KIB);
      for (const { data } of chunks) data.fill(255);
      cursor = nextCursor;
    }
    const { bytes } = await readAll(journal, 0, 100 * KIB);
    expect(bytes.equals(all)).toBe(true);
    await journal.close();
  });

  it("reads into memory that its reader lends", async () => {
    const journal = new Journal(options({ memoryBytes: 64 * KIB }));
    for (let i = 0; i < 40; i++) await journal.append("stdout", Buffer.alloc(60 * KIB, i));
    const lent = Buffer.alloc(256 * KIB);
    for (const cursor of [0, journal.endCursor - 60 * KIB]) {
      const { chunks } = await journal.read(cursor, 200 * KIB, () => lent);
      expect(chunks[0]?.data.buffer).toBe(lent.buffer);
      expect(chunks[0]?.data[0]).toBe(cursor / (60 * KIB));
    }
    await journal.close();
  });

  it("answers neighbours of one stream as one chunk, from memory and from its files", async () => {
    const journal = new Journal(options({ memoryBytes: 256 * KIB }));
    for (let i = 0; i < 20; i++) await journal.append(i % 10 === 5 ? "stderr" : "stdout", Buffer.alloc(50 * KIB, i));
    for (const [first, begin] of [0, 10].map((part) => [part, part * 50 * KIB] as const)) {
      const { chunks } = await journal.read(begin + 3 * 50 * KIB, 200 * KIB);
      expect(chunks.map(({ stream, data }) => [stream, data.length, data[0], data.at(-1)])).toEqual([
        ["stdout", 100 * KIB, first + 3, first + 4],
        ["stderr", 50 * KIB, first + 5, first + 5],
        ["stdout", 50 * KIB, first + 6, first + 6],
      ]);
    }
    await journal.close();
  });

  it("says so where its file was cut short by somebody else", async () => {
    const journal = new Journal(options({ memoryBytes: 64 * KIB }));
    for (let i = 0; i < 4; i++) await journal.append("stdout", Buffer.alloc(64 * KIB));
    for (const file of readdirSync(directory)) truncateSync(join(directory, file));
    await expect(journal.read(0, KIB)).rejects.toThrow("somebody else");
    await journal.close();
  });

  it("reads what is no longer in memory from its files", async () => {
    const journal = new Journal(options({ memoryBytes: 64 * KIB }));
    for (let i = 0; i < 40; i++) await journal.append(i % 3 === 0 ? "stderr" : "stdout", Buffer.alloc(60 * KIB, i));
    const { bytes } = await readAll(journal, 0, 50_000);
    expect(bytes.equals(Buffer.concat(Array.from({ length: 40 }, (_, i) => Buffer.alloc(60 * KIB, i))))).toBe(true);
    await journal.close();
  });

  it("drops its oldest file once more than the cap is kept, and tells readers what is lost", async () => {
    const keepBytes = MIB;
    const journal = new Journal(options({ keepBytes }));
    for (let i = 0; i < 64; i++) await journal.append("stdout", Buffer.alloc(64 * KIB, i));

    expect(journal.beginCursor).toBeGreaterThan(2 * MIB);
    expect(journal.diskBytes).toBeGreaterThanOrEqual(keepBytes);
    expect(journal.diskBytes).toBeLessThanOrEqual(keepBytes + 2 * 64 * KIB);
    expect(bytesIn(directory)).toBe(journal.diskBytes);

    const begin = journal.beginCursor;
    const { lost, chunks } = await journal.read(0, KIB);
    expect(lost).toEqual({ beginCursor: 0, endCursor: begin, stdoutBytes: begin, stderrBytes: 0 });
    expect(chunks[0]?.cursor).toBe(begin);
    await journal.close();
  });

  it("counts what single bytes cost on the disk", async () => {
    const journal = new Journal(options({ keepBytes: 256 * KIB, memoryBytes: 64 * KIB }));
    const byte = Buffer.from("x");
    for (let i = 0; i < 400_000; i++) await journal.append(i % 2 === 0 ? "stdout" : "stderr", byte);
    expect(bytesIn(directory)).toBeLessThanOrEqual(256 * KIB + 64 * KIB);
    expect(journal.endCursor - journal.beginCursor).toBeGreaterThanOrEqual((256 * KIB) / 2 - 100);
    const { lost } = await journal.read(0, 1);
    expect(lost?.stdoutBytes).toBe(Math.ceil(journal.beginCursor / 2));
    expect(lost?.stderrBytes).toBe(Math.floor(journal.beginCursor / 2));
    await journal.close();
  });

  it("says exactly how the lost bytes were shared by the streams where the loss began at 0", async () => {
    const journal = new Journal(options({ keepBytes: 64 * KIB }));
    for (let i = 0; i < 30; i++) await journal.append(i < 3 ? "stderr" : "stdout", Buffer.alloc(40 * KIB));
    const { lost } = await journal.read(0, 1);
    expect(lost?.stderrBytes).toBe(3 * 40 * KIB);
    const middle = await journal.read(60 * KIB, 1);
    expect((middle.lost?.stderrBytes ?? 0) + (middle.lost?.stdoutBytes ?? 0)).toBe(journal.beginCursor - 60 * KIB);
    await journal.close();
  });

  it("gives room to others file by file, down to the newest", async () => {
    const journal = new Journal(options({ keepBytes: 2 * MIB, memoryBytes: 64 * KIB }));
    for (let i = 0; i < 16; i++) await journal.append("stdout", Buffer.alloc(64 * KIB, i));
    const before = journal.diskBytes;
    let freed = 0;
    for (let bytes = journal.dropOldest(); bytes > 0; bytes = journal.dropOldest()) freed += bytes;
    expect(freed).toBeGreaterThan(0);
    expect(journal.diskBytes).toBe(before - freed);
    expect(readdirSync(directory)).toHaveLength(1);
    expect(textOf(await journal.read(journal.endCursor - 1, 1))).toBe("\u{f}");
    await journal.close();
  });

  it("goes on past a file that is dropped while it is being read", async () => {
    const journal = new Journal(options({ keepBytes: 2 * MIB, memoryBytes: 64 * KIB }));
    for (let i = 0; i < 16; i++) await journal.append("stdout", Buffer.alloc(64 * KIB, i));
    const reads = [0, 1, 2].map(() => journal.read(0, 64 * KIB));
    while (journal.dropOldest() > 0) continue;
    for (const { chunks, nextCursor } of await Promise.all(reads)) {
      const begin = chunks[0]?.cursor ?? -1;
      expect(chunks.every(({ data }) => data.every((byte) => byte === Math.floor(begin / (64 * KIB))))).toBe(true);
      expect(nextCursor).toBeGreaterThan(begin);
    }
    await journal.close();
  });

  it("calls back once bytes can be read, and when it is closed, until one unsubscribes", async () => {
    const journal = new Journal(options());
    const ends: number[] = [];
    const unsubscribe = journal.onGrow(() => ends.push(journal.endCursor));
    const appended = journal.append("stdout", Buffer.alloc(100 * KIB));
    expect(journal.endCursor).toBe(0);
    await appended;
    await journal.close();
    unsubscribe();
    await journal.remove();
    expect(ends).toEqual([100 * KIB, 100 * KIB]);
  });

  it("settles each append although others follow without end", async () => {
    const journal = new Journal(options());
    let settled = false;
    const first = journal.append("stdout", Buffer.alloc(100 * KIB)).then(() => (settled = true));
    while (!settled) await Promise.race([journal.append("stderr", Buffer.alloc(100 * KIB)), first]);
    await journal.close();
  });

  it("writes what waits before it is closed, and can be read after", async () => {
    const journal = new Journal(options());
    const appends = [1, 2, 3].map((i) => journal.append("stdout", Buffer.alloc(100 * KIB, i)));
    await journal.close();
    await Promise.all(appends);
    const { bytes } = await readAll(journal, 0);
    expect(bytes).toHaveLength(300 * KIB);
    await expect(journal.append("stdout", Buffer.from("x"))).rejects.toThrow("closed");
  });

  it("deletes its own files and no others", async () => {
    const journals = ["1", "11", "1.000001"].map((name) => new Journal(options({ name })));
    for (const journal of journals) await journal.append("stdout", Buffer.from("x"));
    expect(new Set((await journalFiles(directory)).keys())).toEqual(new Set(["1", "11", "1.000001"]));
    await journals[0]?.remove();
    expect(new Set((await journalFiles(directory)).keys())).toEqual(new Set(["11", "1.000001"]));
    expect(await journals[0]?.read(1, 1)).toEqual({ lost: undefined, chunks: [], nextCursor: 1 });
    const recovered = await Journal.recover(options({ name: "11" }));
    await recovered.remove();
    expect(new Set((await journalFiles(directory)).keys())).toEqual(new Set(["1.000001"]));
    await Promise.all(journals.map((journal) => journal.close()));
  });

  it("holds no file open once it is closed", async () => {
    const journal = new Journal(options({ keepBytes: 128 * KIB }));
    for (let i = 0; i < 10; i++) await journal.append("stdout", Buffer.alloc(60 * KIB));
    await readAll(journal, journal.beginCursor);
    await journal.close();
    expect(openFilesIn(directory)).toEqual([]);
  });

  it("lets go of its memory when it is closed", async () => {
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.alloc(512 * KIB));
    await journal.close();
    for (const file of readdirSync(directory)) rmSync(join(directory, file));
    expect(await journal.read(0, KIB)).toMatchObject({ lost: { beginCursor: 0 }, chunks: [] });
  });

  it("takes the name of what a forgotten exec left", async () => {
    writeFileSync(join(directory, "1.000000.output"), "of old");
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.from("new"));
    await journal.close();
    const recovered = await Journal.recover(options());
    expect(textOf(await recovered.read(0, KIB))).toBe("new");
  });
});

/** Reads on to the end, and checks on the way that nothing overlaps or is missing. */
async function readAll(
  journal: Journal,
  cursor: number,
  maxBytes = 64 * KIB,
): Promise<{ bytes: Buffer; reads: JournalRead[] }> {
  const reads: JournalRead[] = [];
  const parts: Uint8Array[] = [];
  for (let at = cursor; at < journal.endCursor;) {
    const read = await journal.read(at, maxBytes);
    at = read.lost?.endCursor ?? at;
    for (const { cursor: chunkCursor, data } of read.chunks) {
      expect(chunkCursor).toBe(at);
      at += data.length;
      parts.push(data);
    }
    expect(read.nextCursor).toBe(at);
    reads.push(read);
  }
  return { bytes: Buffer.concat(parts), reads };
}

function textOf(read: JournalRead): string {
  return Buffer.concat(read.chunks.map(({ data }) => data)).toString();
}

function bytesIn(path: string): number {
  return readdirSync(path).reduce((sum, file) => sum + statSync(join(path, file)).size, 0);
}

function openFilesIn(path: string): string[] {
  if (!existsSync("/proc/self/fd")) return [];
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)].filter((target) => target.startsWith(path));
    } catch {
      return [];
    }
  });
}
