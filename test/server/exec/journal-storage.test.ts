import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { Journal, type JournalOptions } from "../../../server/src/exec/journal/journal.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const DISK_BYTES = MIB;

let directory: string;
let isMounted = false;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "yonder-journal-"));
});

afterEach(() => {
  if (isMounted) execFileSync("umount", ["-l", directory]);
  isMounted = false;
  rmSync(directory, { recursive: true, force: true });
});

/** Makes the directory a disk of 1 MiB. */
function mountSmallDisk({ skip }: TestContext): void {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "yonder-test", directory], { stdio: "pipe" });
    isMounted = true;
  } catch {
    skip("a full disk can be tried out only where mount is permitted");
  }
}

function options(changed: Partial<JournalOptions> = {}): JournalOptions {
  return { directory, name: "5", memoryBytes: 128 * KIB, keepBytes: 64 * MIB, ...changed };
}

/** Appends 16 KiB blocks whose bytes tell their place. */
async function print(journal: Journal, blocks: number): Promise<void> {
  for (let i = 0; i < blocks; i++) {
    const place = journal.endCursor / (16 * KIB);
    await journal.append(place % 2 === 0 ? "stdout" : "stderr", Buffer.alloc(16 * KIB, place % 256));
  }
}

async function checkAll(journal: Journal): Promise<void> {
  for (let cursor = journal.beginCursor; cursor < journal.endCursor;) {
    const { lost, chunks, nextCursor } = await journal.read(cursor, 64 * KIB);
    expect(lost).toBeUndefined();
    for (const chunk of chunks) {
      const place = Math.floor(chunk.cursor / (16 * KIB));
      expect(chunk.stream).toBe(place % 2 === 0 ? "stdout" : "stderr");
      expect(chunk.data.every((byte) => byte === place % 256)).toBe(true);
    }
    cursor = nextCursor;
  }
}

describe("Journal on a disk that refuses", () => {
  it("drops its oldest files early where that makes room", async (context) => {
    mountSmallDisk(context);
    // Sixteen files of 128 KiB, of which the disk takes seven.
    const journal = new Journal(options({ keepBytes: 2 * MIB }));
    await print(journal, 200);
    expect(journal.storageError).toBeUndefined();
    expect(journal.endCursor).toBe(200 * 16 * KIB);
    expect(journal.endCursor - journal.beginCursor).toBeGreaterThan(DISK_BYTES / 2);
    await checkAll(journal);
    await journal.close();
    const recovered = await Journal.recover(options());
    expect(recovered.endCursor).toBe(journal.endCursor);
    await checkAll(recovered);
  });

  it("goes on in memory where there is nothing to drop, and says from where on it has output", async (context) => {
    mountSmallDisk(context);
    const journal = new Journal(options());
    await print(journal, 60);
    writeFileSync(join(directory, "filler"), Buffer.alloc(statfsSync(directory).bavail * 4096));
    expect(journal.storageError).toBeUndefined();

    await print(journal, 2);
    expect(journal.storageError).toMatchObject({ code: "ENOSPC" });
    expect(journal.beginCursor).toBe(0);
    await checkAll(journal);

    const predicted = journal.beginCursorAfter(7 * 16 * KIB);
    expect(predicted).toBeGreaterThan(0);
    expect(journal.beginCursorAfter(0)).toBe(0);
    await print(journal, 7);
    expect(journal.beginCursor).toBeLessThanOrEqual(predicted);
    expect(journal.endCursor - journal.beginCursor).toBeGreaterThanOrEqual(128 * KIB - 16);
    await checkAll(journal);
    const { lost } = await journal.read(0, 1);
    expect(lost).toMatchObject({ beginCursor: 0, endCursor: journal.beginCursor });
    await journal.close();
    await checkAll(journal);
  });

  it("writes to its files again once there is room", async (context) => {
    mountSmallDisk(context);
    const filler = join(directory, "filler");
    writeFileSync(filler, Buffer.alloc(statfsSync(directory).bavail * 4096));
    const journal = new Journal(options());
    await print(journal, 10);
    expect(journal.storageError).toMatchObject({ code: "ENOSPC" });
    const before = journal.beginCursor;
    rmSync(filler);
    await print(journal, 20);
    expect(journal.storageError).toBeUndefined();
    expect(journal.beginCursor).toBeLessThanOrEqual(before + 16 * 16 * KIB);
    await checkAll(journal);
    await journal.close();
    const recovered = await Journal.recover(options());
    expect(recovered.endCursor).toBe(30 * 16 * KIB);
    await checkAll(recovered);
  });

  it("goes on in memory where there is no directory, and in files once there is one", async () => {
    const late = join(directory, "late");
    const journal = new Journal(options({ directory: late }));
    await print(journal, 20);
    expect(journal.storageError).toMatchObject({ code: "ENOENT" });
    expect(journal.endCursor - journal.beginCursor).toBe(128 * KIB);
    await checkAll(journal);
    mkdirSync(late);
    await print(journal, 20);
    expect(journal.storageError).toBeUndefined();
    await checkAll(journal);
    await journal.close();
    expect((await Journal.recover(options({ directory: late }))).endCursor).toBe(40 * 16 * KIB);
  });
});
