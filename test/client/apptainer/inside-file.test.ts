import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, open, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FollowedFile } from "../../../client/src/apptainer/followed-file.ts";
import { lastLinesOf } from "../../../client/src/apptainer/inside-file.ts";

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-log-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** What commands of an instance can put in the place of its log. */
const places: readonly [string, (path: string) => unknown][] = [
  ["a directory", (path) => mkdir(path)],
  ["a pipe", (path) => execFileSync("mkfifo", [path])],
  ["a link", async (path) => [await writeFile(`${path}.secret`, "secret\n"), await symlink(`${path}.secret`, path)]],
];

test.each(places)("%s in the place of a log has no lines, and harms nobody who follows it", async (_, make) => {
  const path = join(await temporaryDirectory(), "log");
  await make(path);
  expect(await lastLinesOf(path)).toEqual([]);
  const lines: string[] = [];
  await new FollowedFile(path, (line) => lines.push(line)).end();
  expect(lines).toEqual([]);
});

test("of a large log only the end is read", async () => {
  const path = join(await temporaryDirectory(), "log");
  const file = await open(path, "w");
  // More than a string can hold, and on no disk.
  await file.truncate(3 * 2 ** 30);
  await file.close();
  await appendFile(path, "\nbefore the last\nlast\n");
  expect((await lastLinesOf(path)).slice(-2)).toEqual(["before the last", "last"]);
});

test("what the one who is told throws ends the following alone", async () => {
  const path = join(await temporaryDirectory(), "log");
  await writeFile(path, "a\nb\n");
  const told: string[] = [];
  const log = new FollowedFile(path, (line) => {
    told.push(line);
    throw new Error("not of the log");
  });
  await log.end();
  expect(told).toEqual(["a"]);
});
