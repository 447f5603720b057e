import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasTerminals, shellThatRuns, skipUnless } from "../helpers/programs.ts";
import { serve } from "../helpers/serve.ts";
import { typingShell } from "../helpers/typing-shell.ts";
import { connect } from "../helpers/workspaces.ts";
import { yonderConfig } from "../helpers/yonder-config.ts";
import { runYonder } from "../helpers/yonder.ts";

const noTerminals = skipUnless(
  hasTerminals,
  "completion on a terminal",
  "node-pty is not built: npm run setup -- --force",
);

describe.each(["bash", "zsh", "fish"] as const)("in %s", { timeout: 90_000 }, (shell) => {
  const isMissing = skipUnless(shellThatRuns(shell), shell, `apt-get install -y ${shell}`) || noTerminals;

  test.skipIf(isMissing)("Tab completes verbs, options and their values, as they are declared", async () => {
    const { enter } = await typingShell(shell, {});
    for (const [keys, ...words] of [
      ["yonder doc\t", "doctor"],
      ["yonder ps --j\t", "ps", "--json"],
      ["yonder --host http://127.0.0.1:1 ps --run\t", "--host", "http://127.0.0.1:1", "ps", "--running"],
      ["yonder ps -l a=b --proto\t grpc-\t", "ps", "-l", "a=b", "--protocol", "grpc-web"],
      ["yonder --http-version 1\t ps", "--http-version", "1.1", "ps"],
      ["yonder --http-version=1\t ps", "--http-version=1.1", "ps"],
      ["yonder completion f\t", "completion", "fish"],
      ["yonder serve --api-\t /keys", "serve", "--api-key-file", "/keys"],
      ["yonder --ca /etc/host.con\t ps", "--ca", "/etc/host.conf", "ps"],
      ["yonder __comp\t", "__comp"],
      ["yonder exec --deta\t ls --deta\t", "exec", "--detach", "ls", "--deta"],
      ["yonder git che\t --jso\t", "git", "checkout", "--json"],
    ] as const) {
      expect(await enter(keys)).toEqual(words);
    }
  });

  test.skipIf(isMissing)(
    "Tab completes profiles, and paths and ids of the workspace that is named so far",
    async () => {
      const server = await serve();
      await mkdir(join(server.workingDirectory, "src"));
      await writeFile(join(server.workingDirectory, "src", "hello world.txt"), "");
      await (await connect({ host: server.url })).executeCommand("true", { execId: "build-7" });
      const { environment } = await yonderConfig({ profiles: { devel: { host: server.url } } });
      const { enter, screen } = await typingShell(shell, { ...environment, YONDER_COMPLETION_TIMEOUT: "20s" });
      const profile = ["--profile", "devel"];
      for (const [keys, ...words] of [
        ["yonder ps --profile de\t", "ps", ...profile],
        ["yonder ps --profile=de\t", "ps", "--profile=devel"],
        ["yonder --profile devel cat sr\thel\t", ...profile, "cat", "src/hello world.txt"],
        [`yonder --host ${server.url} cp :src/he\t x`, "--host", server.url, "cp", ":src/hello world.txt", "x"],
        ["yonder cp devel:src/h\t x", "cp", "devel:src/hello world.txt", "x"],
        ["yonder --profile devel logs bui\t", ...profile, "logs", "build-7"],
        ["yonder --host http://127.0.0.1:1 cat sr\t x", "--host", "http://127.0.0.1:1", "cat", "sr", "x"],
      ] as const) {
        expect(await enter(keys)).toEqual(words);
      }
      expect(screen()).not.toMatch(/error|refused|yonder:/i);
    },
  );
});

test("a shell that nobody has a script for is refused with those that there are", async () => {
  const yonder = runYonder(["completion", "tcsh"]);
  expect(await yonder.exited).toBe(2);
  expect(yonder.stderr()).toContain('the shell must be bash, zsh or fish, got "tcsh"');
});

test("what cannot be found is none, said quickly and without a word", async () => {
  const yonder = runYonder(["__complete", "remote-path", "--host", "http://127.0.0.1:1", "--", "s"]);
  expect([await yonder.exited, yonder.stdout(), yonder.stderr()]).toEqual([0, "", ""]);
});
