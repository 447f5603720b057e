import { describe, expect, test } from "vitest";
import { AlreadyExists, InvalidRequest, InvalidState, NotFound } from "../../client/src/index.ts";
import type { Command, ExecuteCommandOptions } from "../../client/src/index.ts";
import { failure } from "./command-suite.ts";
import type { Bench } from "./workspace-suite.ts";

const refusals: [string, Command, ExecuteCommandOptions, typeof NotFound, string][] = [
  ["a directory that is not there", "true", { cwd: "no/such" }, NotFound, "DIRECTORY_NOT_FOUND"],
  ["a directory that is a file", "true", { cwd: "/etc/passwd" }, InvalidState, "NOT_A_DIRECTORY"],
  ["a program that is not there", ["no-such-program"], {}, NotFound, "PROGRAM_NOT_FOUND"],
  ["a program that cannot be run", ["/etc/passwd"], {}, InvalidState, "PROGRAM_NOT_EXECUTABLE"],
  ["an empty line", "", {}, InvalidRequest, ""],
  ["an empty list", [], {}, InvalidRequest, ""],
  ["a list without a program", ["", "x"], {}, InvalidRequest, ""],
  ["a zero in a line", "echo a\0b", {}, InvalidRequest, "INVALID_FIELD"],
  ["a zero in a list", ["echo", "a\0b"], {}, InvalidRequest, "INVALID_FIELD"],
  ["a variable that is none", "true", { env: { "A; whoami #": "x" } }, InvalidRequest, "INVALID_FIELD"],
  ["a zero in a variable", "true", { env: { A: "x\0y" } }, InvalidRequest, "INVALID_FIELD"],
  ["a negative timeout", "true", { timeoutMs: -1 }, InvalidRequest, "INVALID_FIELD"],
  ["a timeout that is no number", "true", { timeoutMs: Number.NaN }, InvalidRequest, "INVALID_FIELD"],
  ["a timeout of a thousand years", "true", { timeoutMs: 3.2e13 }, InvalidRequest, "INVALID_FIELD"],
  ["an id with a blank", "true", { execId: "not this" }, InvalidRequest, "INVALID_FIELD"],
  ["an id that is too long", "true", { execId: "x".repeat(129) }, InvalidRequest, "INVALID_FIELD"],
  ["a terminal of a million columns", "true", { terminal: { columns: 1_000_000 } }, InvalidRequest, "INVALID_FIELD"],
  ["a number that no request can have", "true", { terminal: { rows: 2 ** 31 } }, InvalidRequest, "INVALID_FIELD"],
];

/** What cannot be done is an error before anything runs, and says what it is about. */
export function refusalSuite(bench: Bench): void {
  describe("refused is", () => {
    test.each(refusals)("%s", async (_name, command, options, type, reason) => {
      const { workspace } = bench;
      const error = await failure(workspace.executeCommand(command, options));
      expect(error).toBeInstanceOf(type);
      expect(error).toMatchObject({ retryable: false, subject: expect.stringMatching(/./) });
      if (reason !== "") expect(error).toMatchObject({ reason });
      expect(await failure(workspace.spawn(command, options as object))).toBeInstanceOf(type);
    });

    test("an id that belongs to another request", async () => {
      const { workspace } = bench;
      const execId = `taken-${crypto.randomUUID()}`;
      await workspace.executeCommand("echo one", { execId });
      const error = await failure(workspace.executeCommand("echo two", { execId }));
      expect(error).toBeInstanceOf(AlreadyExists);
      expect(error).toMatchObject({ reason: "EXEC_ID_CONFLICT", subject: execId });
    });

    test("an id that nothing has", async () => {
      const error = await failure(bench.workspace.attach("nothing-has-this"));
      expect(error).toBeInstanceOf(NotFound);
      expect(error).toMatchObject({ reason: "EXEC_NOT_FOUND", subject: "nothing-has-this" });
    });

    test("a signal that there is not, a size for what is no terminal, and a cursor past the end", async () => {
      const handle = await bench.workspace.spawn("cat");
      expect(await failure(handle.kill("SIGNOTHING"))).toMatchObject({ reason: "UNKNOWN_SIGNAL" });
      expect(await failure(handle.resize(80, 24))).toMatchObject({ reason: "NOT_A_TERMINAL" });
      const read = async () => {
        for await (const event of handle.events({ cursor: 1_000 })) if (event.type === "ended") break;
      };
      expect(await failure(read())).toMatchObject({ reason: "CURSOR_OUT_OF_RANGE", expectedOffset: 0 });
      await handle.kill("SIGKILL");
      await handle.wait();
    });
  });
}
