import { expect, test } from "vitest";
import { run } from "../helpers/run.ts";

test.for([
  [["--only", "nothing"], "--only nothing: no benchmark's name begins so"],
  [["--rounds", "0"], "--rounds 0: a whole number from 1 is needed"],
  [["--rounds", "1.5"], "--rounds 1.5"],
  [["--qick"], "'--qick'"],
  [["exec"], "'exec'"],
] as const)("%j is refused with 2 in one line, and nothing is measured", async ([args, what]) => {
  const { exitCode, stdout, stderr } = await run(process.execPath, [
    "--conditions=@yonder/source",
    "bench/main.ts",
    ...args,
  ]);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(what);
  expect(stderr).toMatch(/^bench: .+\n$/);
});

test("--list prints the names that --only takes", async () => {
  const { stdout } = await run(process.execPath, ["--conditions=@yonder/source", "bench/main.ts", "--list"]);
  const names = stdout.trimEnd().split("\n");
  expect(new Set(names).size).toBe(names.length);
  const { stdout: some } = await run(process.execPath, [
    "--conditions=@yonder/source",
    "bench/main.ts",
    "--list",
    "--only",
    "unary-info",
  ]);
  expect(some.trimEnd().split("\n")).toEqual(names.filter((name) => name.startsWith("unary-info")));
  expect(some).not.toBe("");
});
