import { expect, test } from "vitest";
import { run } from "../helpers/run.ts";

test.for([
  ["http2-memory.ts", ["1048576", "65536"], "MiB/s"],
  ["framed-memory.ts", ["1048576", "65536"], "MiB/s"],
  ["grpc-js-calls.ts", ["Stat", "/"], "ms"],
  ["local-spawn.ts", [], "ms"],
  ["http2-spawn.ts", [], "ms"],
  ["http2-output.ts", ["head", "-c", "1048576", "/dev/zero"], "MiB/s"],
] as const)("the floor %s prints its figure when it is run by itself", async ([file, words, unit]) => {
  const { exitCode, stdout, stderr } = await run(process.execPath, [
    "--conditions=@yonder/source",
    `bench/floors/${file}`,
    ...words,
  ]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  const [, columns, row] = stdout.split("\n");
  expect(columns).toContain(`p50 ${unit}`);
  expect(Number(/^ {2}floor {2}\S+ +(\S+)/.exec(row ?? "")?.[1])).toBeGreaterThan(0);
});
