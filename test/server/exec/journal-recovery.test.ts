import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Journal, type JournalOptions } from "../../../server/src/exec/journal/journal.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const journalModule = new URL("../../../server/src/exec/journal/journal.ts", import.meta.url).href;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "yonder-journal-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function options(changed: Partial<JournalOptions> = {}): JournalOptions {
  return { directory, name: "3", memoryBytes: MIB, keepBytes: 64 * MIB, ...changed };
}

describe("Journal.recover", () => {
  it("finds nothing where nothing was printed", async () => {
    const recovered = await Journal.recover(options());
    expect(recovered).toMatchObject({ beginCursor: 0, endCursor: 0, diskBytes: 0 });
  });

  it("takes no more output", async () => {
    const recovered = await Journal.recover(options());
    await expect(recovered.append("stdout", Buffer.from("x"))).rejects.toThrow("closed");
  });

  it.each([1, 40, 64, 300])("cuts off a last record of %i bytes that was torn anywhere", async (lastBytes) => {
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.from("first"));
    await journal.append("stderr", Buffer.alloc(100, "second"));
    const [file = ""] = readdirSync(directory);
    const wholeBytes = statSync(join(directory, file)).size;
    await journal.append("stdout", Buffer.alloc(lastBytes, "third"));
    await journal.close();
    const allBytes = statSync(join(directory, file)).size;

    const torn = join(directory, "torn");
    mkdirSync(torn);
    for (let size = wholeBytes; size <= allBytes; size++) {
      copyFileSync(join(directory, file), join(torn, file));
      truncateSync(join(torn, file), size);
      const recovered = await Journal.recover(options({ directory: torn }));
      expect(recovered.endCursor).toBe(size === allBytes ? 105 + lastBytes : 105);
      expect(recovered).toMatchObject({ beginCursor: 0, stderrBytes: 100 });
      expect(await contentOf(recovered)).toHaveLength(recovered.endCursor);
    }
  });

  it("passes over a file that was made but not begun", async () => {
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.from("all there was"));
    await journal.close();
    writeFileSync(join(directory, "3.000001.output"), "YONDER");
    const recovered = await Journal.recover(options());
    expect((await contentOf(recovered)).toString()).toBe("all there was");
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it("takes zeros, as a power cut leaves them, for no output", async () => {
    const journal = new Journal(options());
    await journal.append("stdout", Buffer.from("whole"));
    await journal.close();
    const [file = ""] = readdirSync(directory);
    truncateSync(join(directory, file), 4 * KIB);
    const recovered = await Journal.recover(options());
    expect((await contentOf(recovered)).toString()).toBe("whole");
  });

  it("tells as lost what was damaged in the midst, and reads on after it", async () => {
    const small = options({ keepBytes: MIB });
    const journal = new Journal(small);
    for (let i = 0; i < 8; i++) await journal.append("stdout", Buffer.alloc(60 * KIB, i));
    await journal.close();
    const files = readdirSync(directory).toSorted();
    truncateSync(join(directory, files[1] ?? ""), 100);
    const recovered = await Journal.recover(small);

    let cursor = 0;
    let lost = 0;
    const seen = new Set<number>();
    while (cursor < recovered.endCursor) {
      const read = await recovered.read(cursor, MIB);
      if (read.lost !== undefined) lost += read.lost.endCursor - read.lost.beginCursor;
      for (const { data } of read.chunks)
        for (const byte of [data[0], data.at(-1)]) if (byte !== undefined) seen.add(byte);
      cursor = read.nextCursor;
    }
    expect(lost).toBeGreaterThan(0);
    expect(seen).toContain(0);
    expect(seen).toContain(7);
  });

  it("has every byte that was acknowledged before the server was killed", async () => {
    const program = `
      import { Journal } from ${JSON.stringify(journalModule)};
      const journal = new Journal(${JSON.stringify(options({ keepBytes: 4 * MIB }))});
      const acknowledge = () => process.stdout.write(journal.endCursor + "\\n");
      for (let i = 0; ; i++) {
        const length = [3, 500, 5000, 70000][i % 4];
        const data = Buffer.alloc(length);
        const at = journal.endCursor;
        for (let k = 0; k < length; k++) data[k] = (at + k) % 251;
        await journal.append(i % 3 === 0 ? "stderr" : "stdout", data);
        acknowledge();
        if (i % 50 === 0) await new Promise(setImmediate);
      }`;
    const child = spawn(process.execPath, [...STRIP_TYPES, "--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let acknowledged = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      acknowledged += text;
      if (acknowledged.split("\n").length > 400) child.kill("SIGKILL");
    });
    await once(child, "close");
    const last = Number(acknowledged.split("\n").at(-2));
    expect(last).toBeGreaterThan(4 * MIB);

    const recovered = await Journal.recover(options({ keepBytes: 4 * MIB }));
    expect(recovered.endCursor).toBeGreaterThanOrEqual(last);
    expect(recovered.beginCursor).toBeGreaterThan(0);
    expect(recovered.endCursor - recovered.beginCursor).toBeGreaterThan(3 * MIB);
    const content = await contentOf(recovered);
    expect(content.every((byte, i) => byte === (recovered.beginCursor + i) % 251)).toBe(true);
  });
});

/** Node strips types by itself from 22.18 on. */
const STRIP_TYPES = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

async function contentOf(journal: Journal): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let cursor = journal.beginCursor; cursor < journal.endCursor;) {
    const { chunks, nextCursor } = await journal.read(cursor, 64 * KIB);
    parts.push(...chunks.map(({ data }) => data));
    cursor = nextCursor;
  }
  return Buffer.concat(parts);
}
