import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Bench } from "./workspace-suite.ts";
import { failure } from "./command-suite.ts";

/** Standard input. */
export function inputSuite(bench: Bench): void {
  describe("standard input", () => {
    test("is empty where none is given", async () => {
      expect((await bench.workspace.executeCommand("wc -c")).stdout.trim()).toBe("0");
    });

    test.each([
      ["text", "grüße\n"],
      ["bytes", Uint8Array.of(0, 255, 10, 0xc3)],
      ["nothing", ""],
    ])("of %s arrives as it is, and ends", async (_name, stdin) => {
      const { stdoutBytes } = await bench.workspace.executeCommand(["cat"], { stdin });
      expect(Buffer.from(stdoutBytes)).toEqual(Buffer.from(stdin));
    });

    test("of many megabytes arrives whole", async () => {
      const stdin = randomBytes(5_000_000);
      const { stdout } = await bench.workspace.executeCommand("sha256sum", { stdin });
      expect(stdout.split(" ")[0]).toBe(createHash("sha256").update(stdin).digest("hex"));
    });

    test("from an iterable is written as it comes", async () => {
      async function* parts() {
        yield "one ";
        yield Buffer.from("two ");
        yield "three";
      }
      expect((await bench.workspace.executeCommand(["cat"], { stdin: parts() })).stdout).toBe("one two three");
    });

    test("that the command does not read to its end is no error", async () => {
      const stdin = randomBytes(3_000_000);
      const { stdout, exitCode } = await bench.workspace.executeCommand("head -c 3 | wc -c", { stdin });
      expect({ stdout: stdout.trim(), exitCode }).toEqual({ stdout: "3", exitCode: 0 });
    });

    test("whose iterable fails ends the command, and the call rejects with that error", async () => {
      async function* parts() {
        yield "one";
        throw new Error("no more");
      }
      const error = await failure(bench.workspace.executeCommand(["cat"], { stdin: parts() }));
      expect(error).toMatchObject({ message: "no more" });
    });

    test("of a handle is written in order, and closed when it is ended", async () => {
      const handle = await bench.workspace.spawn(["cat"]);
      void handle.stdin.write("first ");
      await Promise.all([handle.stdin.write("second "), handle.stdin.write(Buffer.from("third")), handle.stdin.end()]);
      const end = await handle.wait();
      expect(end).toMatchObject({ reason: "EXITED", exitCode: 0 });
      expect((await handle.output()).text).toBe("first second third");
      expect(await failure(handle.stdin.write("more"))).toMatchObject({ name: "InvalidState" });
    });

    test("of a handle that was attached to goes on where it stands", async () => {
      const handle = await bench.workspace.spawn(["cat"]);
      await handle.stdin.write("one ");
      const again = await bench.workspace.attach(handle.execId);
      await again.stdin.end("two");
      await handle.wait();
      expect((await handle.output()).text).toBe("one two");
    });

    test("of a handle can be none, or all there is from the start", async () => {
      const none = await bench.workspace.spawn("wc -c", { stdin: false });
      await none.wait();
      expect((await none.output()).text.trim()).toBe("0");
      const all = await bench.workspace.spawn("wc -c", { stdin: "12345" });
      await all.wait();
      expect((await all.output()).text.trim()).toBe("5");
    });
  });
}

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  return bytes;
}
