import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Journal } from "../../../server/src/exec/journal/journal.ts";
import { Readers } from "../../../server/src/exec/readers.ts";
import { TerminalView } from "../../../server/src/exec/terminal-view.ts";
import { tick } from "../../helpers/time.ts";

const KIB = 1024;
const PRINTED_BYTES = 512 * KIB;

test("output whose file somebody deleted is lost, and what follows it can be read", async () => {
  const { journal, directory } = await printed({ keepBytes: 1024 * KIB });
  const [oldest = ""] = (await readdir(directory)).toSorted();
  await rm(join(directory, oldest));

  const { lost, chunks } = await journal.read(0, KIB);
  expect(lost).toMatchObject({ beginCursor: 0 });
  expect(chunks[0]?.cursor).toBe(lost?.endCursor);
  expect(lost?.endCursor).toBeLessThan(PRINTED_BYTES);
});

test("a terminal whose output cannot be read any more says so to who asks for its screen, and to nobody else", async () => {
  const { journal, directory } = await printed({ keepBytes: 1024 * KIB * KIB });
  for (const name of await readdir(directory)) await rm(join(directory, name));
  const view = new TerminalView({
    size: { columns: 80, rows: 24, terminalType: "xterm" },
    openJournal: async () => journal,
    readers: new Readers({ stallTimeoutMs: 0, reconnectGraceMs: 0, keepBytes: 0 }),
    onResize: () => {},
  });
  view.follow(journal);
  await journal.append("stdout", Buffer.from("more"));
  // Long enough for it to have tried; a rejection that nobody takes would fail this run.
  await tick(200);
  await expect(view.screen()).rejects.toThrow("ENOENT");
  view.close();
});

async function printed({ keepBytes }: { keepBytes: number }): Promise<{ journal: Journal; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-output-"));
  const journal = new Journal({ directory, name: "1", memoryBytes: 16 * KIB, keepBytes });
  onTestFinished(async () => {
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  for (let bytes = 0; bytes < PRINTED_BYTES; bytes += 8 * KIB) await journal.append("stdout", Buffer.alloc(8 * KIB));
  return { journal, directory };
}
