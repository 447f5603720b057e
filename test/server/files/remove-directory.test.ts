import { mkdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../helpers/file-server.ts";
import { run } from "../../helpers/run.ts";

/** Directories in directories, so many in each. */
function makeDirectories(top: string, width: number, depth: number): void {
  mkdirSync(top);
  for (let index = 0; index < width && depth > 0; index++) makeDirectories(join(top, String(index)), width, depth - 1);
}

test("a tree with more directories than a process may have open is removed", async () => {
  const directory = await temporaryDirectory();
  makeDirectories(join(directory, "tree"), 8, 3);
  const module = new URL("../../../server/src/files/remove-directory.ts", import.meta.url).href;
  const program = `const { removeDirectory } = await import("${module}");
    await removeDirectory(Buffer.from(process.argv[1]));`;
  const args = ["--experimental-strip-types", "--input-type=module", "--eval", program, join(directory, "tree")];
  const limited = ["-c", 'ulimit -n 128; exec "$@"', "sh", process.execPath, ...args];
  expect(await run("sh", limited)).toMatchObject({ stdout: "", exitCode: 0 });
  expect(await readdir(directory)).toEqual([]);
});
