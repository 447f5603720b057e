import { readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { describeError, Failure } from "../../../cli/src/frame/failure.ts";

test("what the system says of a file is told in plain words, the file last", async () => {
  const missing: unknown = await readFile("/no/such file").catch((error: unknown) => error);
  expect(describeError(missing)).toBe("no such file or directory: /no/such file");
  const full: unknown = await writeFile("/dev/full", "x").catch((error: unknown) => error);
  expect(describeError(full)).toBe("no space left on device");
  const inside = new Failure(`--ca names a file that cannot be read: ${(missing as Error).message}`);
  expect(describeError(inside)).toBe("--ca names a file that cannot be read: no such file or directory: /no/such file");
});

test("what is no system's error stays as it is", () => {
  for (const message of ["no connection to http://x: connect ECONNREFUSED 127.0.0.1:1", "git: it failed, badly"]) {
    expect(describeError(new Error(message))).toBe(message);
  }
});
