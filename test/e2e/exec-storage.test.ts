import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ExecEvent } from "../../client/src/index.ts";
import { sha256, writeRandomFile } from "../helpers/random-file.ts";
import { serve } from "../helpers/serve.ts";
import { connect } from "../helpers/workspaces.ts";

const MIB = 2 ** 20;
const diskBytes = 8 * MIB;

/** Why no file system can be mounted here; undefined where one can. */
const obstacle = whyNotMountable();

describe.skipIf(obstacle !== undefined)(
  `a state directory whose disk is full${obstacle === undefined ? "" : ` (skipped: ${obstacle})`}`,
  { timeout: 120_000 },
  () => {
    test("holds up no command: what can no longer be kept is told as lost, and all counts are right", async () => {
      const outputBytes = 64 * MIB;
      const server = await serve({ stateDirectory: await mountDisk() });
      const source = await writeRandomFile(join(server.workingDirectory, "random"), outputBytes);
      const workspace = await connect({ host: server.url });

      const unread = await workspace.spawn("cat random; echo end");
      expect(await unread.wait()).toMatchObject({ reason: "EXITED", exitCode: 0, stdoutBytes: outputBytes + 4 });
      const whole = Buffer.concat([source, Buffer.from("end\n")]);
      const late = await collect(unread.events(), whole);
      expect(late.got + late.lost).toBe(whole.length);
      expect(late.got).toBeGreaterThan(MIB / 2);
      expect(late.end).toMatchObject({ reason: "EXITED", stdoutBytes: whole.length });

      // Somebody reads along, and so has less to lose.
      const read = await workspace.spawn("read go; cat random; echo end");
      const live = await collect(read.events(), whole, () => read.stdin.write("go\n"));
      expect(live.got + live.lost).toBe(whole.length);
      expect(live.end).toMatchObject({ reason: "EXITED", exitCode: 0, stdoutBytes: whole.length });
      expect(server.isRunning).toBe(true);
    });

    test("takes no new commands, reads on what ran before, and takes them again once there is room", async () => {
      const stateDirectory = await mountDisk();
      const server = await serve({ stateDirectory });
      const workspace = await connect({ host: server.url });
      await workspace.executeCommand("echo before", { execId: "before" });
      const running = await workspace.spawn("read line; echo $line", { execId: "running" });

      const filler = join(stateDirectory, "filler");
      fillUp(filler);
      // Longer than what is left of the last block.
      const long = `echo ran >> runs # ${"and on ".repeat(1_000)}`;
      await expect(workspace.executeCommand(long)).rejects.toMatchObject({ reason: "STORAGE_FULL" });
      await expect(workspace.spawn(long)).rejects.toMatchObject({ reason: "STORAGE_FULL" });
      expect((await (await workspace.attach("before")).output()).text).toBe("before\n");
      // What runs runs on, and ends.
      await running.stdin.write("still here\n");
      expect(await running.wait()).toMatchObject({ reason: "EXITED", exitCode: 0, stdoutBytes: 11 });
      expect((await running.output()).text).toBe("still here\n");
      expect(await workspace.alive()).toBe(true);

      rmSync(filler);
      expect(await workspace.executeCommand("cat runs 2>&1; echo after")).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/^cat: .*\nafter\n$/),
      });
      // The end that was told is remembered, although the disk was full when it came.
      await server.restart("SIGKILL");
      const again = await workspace.attach("running");
      expect(await again.wait()).toMatchObject({ reason: "EXITED", exitCode: 0 });
    });
  },
);

/** Checks every byte against what it must be, and counts what is told as lost. */
async function collect(events: AsyncIterable<ExecEvent>, whole: Buffer, onStarted?: () => unknown) {
  const sum = { got: 0, lost: 0, end: undefined as ExecEvent | undefined };
  for await (const event of events) {
    if (event.type === "started") await onStarted?.();
    if (event.type === "output") {
      sum.got += event.bytes.length;
      const expected = whole.subarray(event.cursor, event.nextCursor);
      if (sha256(event.bytes) !== sha256(expected)) throw new Error(`wrong bytes at ${event.cursor}`);
    }
    if (event.type === "lost") sum.lost += event.stdoutBytes;
    if (event.type === "ended") sum.end = event;
  }
  return sum;
}

async function mountDisk(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "yonder-disk-"));
  mount(directory);
  onTestFinished(() => {
    unmount(directory);
    rmSync(directory, { recursive: true });
  });
  const state = join(directory, "state");
  await mkdir(state, { mode: 0o700 });
  return state;
}

/** Writes until nothing more fits, not even a few bytes. */
function fillUp(path: string): void {
  for (let size = MIB; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: "a" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
  expect(statfsSync(path).bavail).toBe(0);
}

function whyNotMountable(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), "yonder-disk-"));
  try {
    mount(directory);
    unmount(directory);
    return undefined;
  } catch (error) {
    return `no file system can be mounted: ${error instanceof Error ? error.message.split("\n").join(" ") : "?"}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function mount(directory: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes},mode=700`, "yonder-test", directory], {
    stdio: "pipe",
  });
}

function unmount(directory: string): void {
  execFileSync("umount", [directory], { stdio: "pipe" });
}
