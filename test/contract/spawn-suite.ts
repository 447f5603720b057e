import { describe, expect, test } from "vitest";
import type { ExecEvent } from "../../client/src/index.ts";
import { failure } from "./command-suite.ts";
import type { Bench } from "./workspace-suite.ts";

/** Handles: what runs on its own, and is read, written to, signalled and waited for. */
export function spawnSuite(bench: Bench): void {
  describe("a handle", () => {
    test("is there as soon as the command runs, and knows its process", async () => {
      const handle = await bench.workspace.spawn("echo $$; read line; echo $line");
      await handle.stdin.end("done\n");
      expect(await linesOf(handle.lines())).toEqual([String(handle.pid), "done"]);
      expect(await handle.wait()).toMatchObject({ reason: "EXITED", exitCode: 0, timeoutOccurred: false });
    });

    test("that nobody reads lets its command run to its end", async () => {
      const handle = await bench.workspace.spawn("head -c 30000000 /dev/zero; exit 5");
      expect(await handle.wait()).toMatchObject({ exitCode: 5, stdoutBytes: 30_000_000 });
    });

    test("gives every reader everything, at its own pace", async () => {
      const handle = await bench.workspace.spawn("seq 1 1000; echo err >&2; seq 1001 2000");
      const [slow, quick] = [handle.stdout.lines()[Symbol.asyncIterator](), linesOf(handle.stdout.lines())];
      expect(await slow.next()).toMatchObject({ value: "1" });
      expect((await quick).length).toBe(2_000);
      expect(await linesOf({ [Symbol.asyncIterator]: () => slow })).toHaveLength(1_999);
      expect(await linesOf(handle.stderr.text())).toEqual(["err\n"]);
      const bytes = await linesOf(handle.stdout);
      expect(Buffer.concat(bytes).toString().split("\n")).toHaveLength(2_001);
      expect(await linesOf(handle.lines())).toHaveLength(2_001);
    });

    test("tells events in order: started first, ended last, once each", async () => {
      const handle = await bench.workspace.spawn("echo one; echo two >&2; exit 9");
      const events = await linesOf(handle.events());
      expect(events.at(0)).toMatchObject({ type: "started", execId: handle.execId });
      expect(events.at(-1)).toMatchObject({ type: "ended", reason: "EXITED", exitCode: 9 });
      const output = events.filter((event) => event.type === "output");
      expect(events.length).toBe(output.length + 2);
      let cursor = 0;
      for (const event of output) {
        expect(event.cursor).toBe(cursor);
        expect(event.nextCursor).toBe(cursor + event.bytes.length);
        cursor = event.nextCursor;
      }
      expect(cursor).toBe(8);
    });

    test("goes on reading at any cursor, at the tail, or live", async () => {
      const handle = await bench.workspace.spawn("printf abcdefghij; read line; printf klm");
      await untilPrinted(handle.events(), 10);
      const live = textOf(handle.events({ live: true }));
      const tail = textOf(handle.events({ tail: 3 }));
      const middle = textOf(handle.events({ cursor: 4 }));
      const [liveStarted, ...others] = [live, tail, middle].map((reader) => reader.started);
      await Promise.all([liveStarted, ...others]);
      await handle.stdin.end("\n");
      expect(await live.text).toBe("klm");
      expect(await tail.text).toBe("hijklm");
      expect(await middle.text).toBe("efghijklm");
    });

    test("reads a part of the output, by head, tail, range, stream and line", async () => {
      const handle = await bench.workspace.spawn("seq 1 1000; echo Warning: one >&2; echo warning: two >&2");
      await handle.wait();
      expect((await handle.output({ head: 4 })).text).toBe("1\n2\n");
      expect((await handle.output({ tail: 13 })).text).toBe("warning: two\n");
      expect(await handle.output({ cursor: 2, maxBytes: 2 })).toMatchObject({
        text: "2\n",
        nextCursor: 4,
        truncated: true,
      });
      expect(await handle.output({ stream: "stderr" })).toMatchObject({
        text: "Warning: one\nwarning: two\n",
        truncated: false,
        end: { exitCode: 0 },
      });
      const lines = async (options: object) => (await handle.output(options)).lines.map(({ text }) => text);
      expect(await lines({ grep: "warning" })).toEqual(["warning: two"]);
      expect(await lines({ grep: "warning", ignoreCase: true })).toEqual(["Warning: one", "warning: two"]);
      expect(await lines({ grep: /^9{2}\d$/, stream: "stdout", maxLines: 3 })).toEqual(["990", "991", "992"]);
      expect(await lines({ grep: /\d/, invert: true })).toHaveLength(2);
      expect(await lines({ grep: /^1/, head: 23 })).toEqual(["1", "10", "11"]);
      expect(await lines({ grep: "one", tail: 13 })).toEqual([]);
    });

    test("reads a large part in as many pieces as it takes", async () => {
      const handle = await bench.workspace.spawn("head -c 7000000 /dev/zero | tr '\\0' x");
      await handle.wait();
      expect((await handle.output({ head: 6_000_000 })).bytes.length).toBe(6_000_000);
      expect((await handle.output({ tail: 6_000_000 })).bytes.length).toBe(6_000_000);
    });

    test("finds lines wherever they are in a large output", async () => {
      const handle = await bench.workspace.spawn("seq 1 400000");
      await handle.wait();
      const { lines, truncated } = await handle.output({ grep: /^[37]0*$/ });
      expect(lines.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(lines.map(({ text }) => text));
      const expected = [3, 7, 30, 70, 300, 700, 3_000, 7_000, 30_000, 70_000, 300_000];
      expect(lines.map(({ text }) => Number(text))).toEqual(expected);
      expect(truncated).toBe(false);
    });

    test("reads no further than what there was, however much comes after", async () => {
      const handle = await bench.workspace.spawn("yes");
      await untilPrinted(handle.events(), 1_000_000);
      expect((await handle.output({ grep: "no" })).lines).toEqual([]);
      await handle.kill("SIGKILL");
      await handle.wait();
    });

    test("waits for output, or the end, where there is none yet", async () => {
      const handle = await bench.workspace.spawn("read line; echo $line");
      const waiting = handle.output({ cursor: 0, waitMs: 20_000 });
      await handle.stdin.end("now\n");
      expect((await waiting).text).toBe("now\n");
      await handle.wait();
    });

    test("signals the tree, the group, or the process alone", async () => {
      const { workspace } = bench;
      const script = "sleep 300 & trap 'echo got it' USR1; echo ready; while :; do wait; done";
      const handle = await workspace.spawn(script);
      await untilPrinted(handle.events(), 6);
      expect(await handle.kill("USR1", { target: "process" })).toBe(1);
      await untilPrinted(handle.events(), 13);
      expect(await handle.kill("SIGKILL")).toBeGreaterThanOrEqual(2);
      expect(await handle.wait()).toMatchObject({ reason: "KILLED", signal: "SIGKILL", exitCode: -9 });
      expect(await handle.kill()).toBe(0);
    });

    test("ends its command at the end of its scope, unless it was detached", async () => {
      const { workspace } = bench;
      const ended = await workspace.spawn("sleep 300 & exec sleep 300");
      const detached = await workspace.spawn("sleep 300");
      detached.detach();
      // What `await using` does at the end of a block.
      await detached[Symbol.asyncDispose]();
      await ended[Symbol.asyncDispose]();
      expect((await (await workspace.attach(ended.execId)).info()).end).toMatchObject({ reason: "KILLED" });
      const again = await workspace.attach(detached.execId);
      expect((await again.info()).state).toBe("running");
      await again.kill("SIGKILL");
      await again.wait();
    });

    test("whose reading is aborted lets the command run on", async () => {
      const handle = await bench.workspace.spawn("echo hi; read line; exit 6");
      const controller = new AbortController();
      const read = async () => {
        for await (const event of handle.events({ signal: controller.signal })) {
          if (event.type === "output") controller.abort();
        }
      };
      expect(await failure(read())).toMatchObject({ name: "AbortError" });
      const waiting = handle.wait({ signal: AbortSignal.timeout(50) });
      expect(await failure(waiting)).toMatchObject({ name: "AbortError" });
      await handle.stdin.end();
      expect(await handle.wait()).toMatchObject({ exitCode: 6 });
    });

    test("whose own signal is aborted ends the command, and its wait rejects with how", async () => {
      const controller = new AbortController();
      const handle = await bench.workspace.spawn("echo hi; sleep 300", { signal: controller.signal });
      await untilPrinted(handle.events(), 3);
      controller.abort();
      expect(await failure(handle.wait())).toMatchObject({ name: "AbortError", end: { reason: "KILLED" } });
      expect((await handle.output()).text).toBe("hi\n");
    });

    test("can be left in the midst of its output", async () => {
      const handle = await bench.workspace.spawn("yes | head -c 50000000");
      for await (const bytes of handle.stdout) if (bytes.length > 0) break;
      expect(await handle.wait()).toMatchObject({ stdoutBytes: 50_000_000 });
    });
  });
}

export async function linesOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Resolves once so many bytes were printed. */
export async function untilPrinted(events: AsyncIterable<ExecEvent>, bytes: number): Promise<void> {
  for await (const event of events) if (event.type === "output" && event.nextCursor >= bytes) return;
}

/** Everything that a reader is told as text, and when it began. */
export function textOf(events: AsyncIterable<ExecEvent>): { started: Promise<void>; text: Promise<string> } {
  const started = Promise.withResolvers<void>();
  const read = async () => {
    let text = "";
    for await (const event of events) {
      if (event.type === "started") started.resolve();
      if (event.type === "output") text += event.text;
    }
    return text;
  };
  return { started: started.promise, text: read() };
}
