import { expect, test } from "vitest";
import { argv, execServer } from "../helpers/exec-server.ts";

const server = execServer();

test("a shell line of 300 KB, with everything a shell could trip over, runs as it is", async () => {
  const text = "$x `y` \\ \" ' é\n".repeat(20_000);
  const { stdout } = await server.run(`cat <<'END'\n${text}END\n`);
  expect(stdout).toBe(text);
});

test("environment: what is set, what is unset, and what is clean", async () => {
  const { stdout } = await server.run("echo $A-$HOME-$YONDER_EXEC_MARK", {
    environment: { variables: { A: "ä b\nc" }, unset: ["HOME", "NOT_THERE_AT_ALL", "YONDER_EXEC_MARK"] },
  });
  expect(stdout).toMatch(/^ä b c--[0-9a-f-]{36}\/\d+\n$/);
  const clean = await server.run({ program: argv("env") }, { environment: { clean: true, variables: { B: "c" } } });
  const names = clean.stdout.split("\n").map((line) => line.split("=")[0] ?? "");
  expect(names.toSorted()).toEqual(["", "B", "PATH", "PWD", "YONDER_EXEC_MARK"]);
});
