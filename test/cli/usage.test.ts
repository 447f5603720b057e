import { expect, test } from "vitest";
import { openShell } from "../helpers/shell.ts";
import { runYonder } from "../helpers/yonder.ts";

test("help that cannot be written is not taken for told", async () => {
  const shell = await openShell("http://127.0.0.1:1");
  expect(await shell.run("yonder ps --help > /dev/full")).toMatchObject({
    code: 255,
    stderr: "yonder: cannot write to standard output: no space left on device\n",
  });
});

test.for([
  [["srve"], "yonder --help", "yonder: unknown command 'srve'"],
  [["ps", "extra"], "yonder ps --help", "extra"],
  [["ps", "--jsn"], "yonder ps --help", "Did you mean --json?"],
  [["ps", "--label", "x"], "yonder ps --help", "It must be NAME=VALUE"],
  [["--http-version", "3", "ps"], "yonder --help", "It must be 2 or 1.1"],
  [["srve"], "yonder --help", "Did you mean serve?"],
  [["serve", "--hots", "x"], "yonder serve --help", "Did you mean --host?"],
  [["serve", "extra"], "yonder serve --help", "extra"],
  [["key", "extra"], "yonder key --help", "extra"],
  [["exec"], "yonder exec --help", "there is nothing to run"],
  [["search", "-m", "9999999999", "x"], "yonder search --help", "It must be a whole number up to 2147483647"],
  [["git", "commit"], "yonder git commit --help", "a commit needs a message"],
  [["--host", "http://127.0.0.1:1", "--profile", "x", "ps"], "yonder ps --help", "--host and --profile"],
] as const)("%j is refused with 2 in one line, saying where help is", async ([args, help, what]) => {
  const yonder = runYonder(args);
  expect(await yonder.exited).toBe(2);
  expect(yonder.stderr()).toContain(what);
  expect(yonder.stderr()).toMatch(/^yonder( serve)?: .+\n$/);
  expect(yonder.stderr().endsWith(`; see \`${help}\`\n`)).toBe(true);
  expect(yonder.stdout()).toBe("");
});
