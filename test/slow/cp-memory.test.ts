import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { peakMemoryOf, serve } from "../helpers/serve.ts";
import { openShell } from "../helpers/shell.ts";
import { tick } from "../helpers/time.ts";

/** 4 by default. */
const gib = Number(process.env["FILES_GIB"] ?? "4");

/** As one file, and as files of 32 MiB, which travel as a tree's stream. */
const ways: [what: string, where: "here" | "there", files: number, script: string][] = [
  ["a file up", "here", 1, "yonder cp tree/0 :result"],
  ["a file down", "there", 1, "yonder cp :tree/0 result"],
  ["a large file of a tree down", "there", 1, "yonder cp :tree result"],
  ["a tree up", "here", gib * 32, "yonder cp tree :result"],
  ["a tree down", "there", gib * 32, "yonder cp :tree result"],
];

test.each(ways)(
  `cp of ${gib} GiB as %s keeps the command under 200 MiB`,
  { timeout: gib * 120_000 },
  async (_, where, files, script) => {
    const server = await serve();
    const shell = await openShell(server.url);
    const [source, target] =
      where === "here" ? [shell.directory, server.workingDirectory] : [server.workingDirectory, shell.directory];
    mkdirSync(join(source, "tree"));
    for (let index = 0; index < files; index++) {
      execFileSync("truncate", ["-s", String((gib * 2 ** 30) / files), join(source, `tree/${index}`)]);
    }
    const { child, ended } = shell.start(`exec ${script}`);
    let isOver = false;
    void ended.then(() => (isOver = true));
    let peak = 0;
    while (!isOver) {
      // The kernel keeps the most that there ever was, so that a look every now and then misses none of it.
      peak = Math.max(peak, peakOf(child.pid ?? 0));
      await tick(20);
    }
    expect(await ended).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(sizeOf(join(target, "result"))).toBe(gib * 2 ** 30);
    expect(peak).toBeGreaterThan(2 ** 20);
    expect(peak / 2 ** 20).toBeLessThan(200);
  },
);

/** Of a file, or of all that are in a directory. */
function sizeOf(path: string): number {
  const stats = statSync(path);
  if (stats.isFile()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** 0 once it has ended. */
function peakOf(pid: number): number {
  try {
    return peakMemoryOf(pid) || 0;
  } catch {
    return 0;
  }
}
