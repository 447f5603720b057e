import { describe, expect, test } from "vitest";
import { collect } from "../helpers/collect.ts";
import type { Bench } from "./workspace-suite.ts";
import { failure } from "./command-suite.ts";

/** What a command prints, as its result and its callbacks tell it. */
export function outputSuite(bench: Bench): void {
  describe("output", () => {
    test("is told as it is printed", async () => {
      const { workspace } = bench;
      const told: string[] = [];
      // It goes on only when its first line was told.
      const onStdout = async (text: string) => {
        told.push(text);
        if (told.length === 1) await workspace.executeCommand("touch told");
      };
      const script = "rm -f told; echo first; while [ ! -e told ]; do sleep 0.01; done; echo second";
      const { stdout } = await workspace.executeCommand(script, { onStdout });
      expect(told.join("")).toBe("first\nsecond\n");
      expect(stdout).toBe("first\nsecond\n");
    });

    test("waits for a promise that a callback returns", async () => {
      let busy = 0;
      let most = 0;
      const onStdout = async () => {
        most = Math.max(most, ++busy);
        await new Promise((resolve) => setTimeout(resolve, 1));
        busy--;
      };
      await bench.workspace.executeCommand("for i in 1 2 3 4 5 6; do echo $i; sleep 0.01; done", { onStdout });
      expect({ most, busy }).toEqual({ most: 1, busy: 0 });
    });

    test("that a callback throws at ends the command, and the call rejects with that error", async () => {
      const { workspace } = bench;
      const execId = `thrown-${crypto.randomUUID()}`;
      const onStdout = () => {
        throw new Error("enough");
      };
      const error = await failure(workspace.executeCommand("echo hi; sleep 300", { execId, onStdout }));
      expect(error).toMatchObject({ message: "enough" });
      expect((await (await workspace.attach(execId)).info()).end).toMatchObject({ reason: "KILLED" });
    });

    test("is text in which no character is cut, and what is no UTF-8 is U+FFFD", async () => {
      const told: string[] = [];
      const onStdout = (text: string) => void told.push(text);
      const script = String.raw`printf 'a\303'; sleep 0.05; printf '\251\342'; sleep 0.05; printf '\202\254 \377|\360\237'`;
      const { stdout, stdoutBytes } = await bench.workspace.executeCommand(script, { onStdout });
      expect(stdout).toBe("aé€ \ufffd|\ufffd");
      expect(told.join("")).toBe(stdout);
      expect(stdoutBytes.length).toBe(11);
    });

    test("of some megabytes is the same however it is read", async () => {
      const { workspace } = bench;
      const lines = Array.from({ length: 300_000 }, (_, i) => `${i + 1} é€😀`);
      const printed = lines.map((line) => `${line}\n`).join("");
      const script = "seq 300000 | sed 's/$/ é€😀/'";
      const told: string[] = [];
      const onStdout = (text: string) => void told.push(text);
      const { stdout } = await workspace.executeCommand(script, { onStdout, maxOutputBytes: 1 << 26 });
      expect(stdout === printed).toBe(true);
      expect(told.join("") === printed).toBe(true);

      const handle = await workspace.spawn(script);
      const [bytes, text, read] = await Promise.all([
        collect(handle.stdout),
        collect(handle.stdout.text()),
        collect(handle.lines()),
      ]);
      expect(Buffer.concat(bytes).equals(Buffer.from(printed))).toBe(true);
      expect(text.join("") === printed).toBe(true);
      expect(read.join() === lines.join()).toBe(true);
    });

    test("keeps its line endings and its zeros", async () => {
      const { stdout } = await bench.workspace.executeCommand(String.raw`printf 'a\r\nb\rc\000d'`);
      expect(stdout).toBe("a\r\nb\rc\0d");
    });

    test("of many characters of two bytes comes without a fault", async () => {
      const { stdout } = await bench.workspace.executeCommand(`head -c 400000 /dev/zero | sed 's/\\x0/é/g'`);
      expect(stdout).toBe("é".repeat(400_000));
    });

    test("that is longer than what is kept has its first and last bytes, and the count of the others", async () => {
      let length = 0;
      const result = await bench.workspace.executeCommand("seq 1 200000; seq 1 9 >&2", {
        maxOutputBytes: 1_000,
        onStdout: (text) => void (length += text.length),
      });
      expect(length).toBe(1_288_895);
      expect(result.stdout.length).toBe(1_000);
      expect(result.stdout.startsWith("1\n2\n3\n")).toBe(true);
      expect(result.stdout.endsWith("199999\n200000\n")).toBe(true);
      expect(result.truncated).toEqual({ stdout: length - 1_000, stderr: 0 });
      expect(result.stderr).toBe("1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    });

    test("of many megabytes arrives whole", async () => {
      const { stdout, truncated } = await bench.workspace.executeCommand("seq 1 900000 | tee big | sha256sum; cat big");
      const [digest, ...lines] = stdout.split("\n");
      const printed = lines.join("\n");
      expect(truncated).toBeUndefined();
      const hash = await crypto.subtle.digest("SHA-256", Buffer.from(printed));
      expect(digest?.split(" ")[0]).toBe(Buffer.from(hash).toString("hex"));
      await bench.workspace.executeCommand("rm big");
    });

    test("of both streams keeps its order", async () => {
      // It prints the next line only when the one before was read.
      const script = "for i in 1 2 3; do echo o$i; read next; echo e$i >&2; read next; done";
      const handle = await bench.workspace.spawn(script);
      let text = "";
      for await (const event of handle.events()) {
        if (event.type !== "output") continue;
        text += `${event.stream} ${event.text}`;
        await handle.stdin.write("\n");
      }
      expect(text).toBe("stdout o1\nstderr e1\nstdout o2\nstderr e2\nstdout o3\nstderr e3\n");
    });
  });
}
