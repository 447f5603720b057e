import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stat } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { LocalWorkspace } from "../../../client/src/local-workspace.ts";

const printedBytes = 5_000_000;

test("all of what a command printed is there though the event loop stands still again and again", async () => {
  const workspace = await openLocal();
  let isOver = false;
  onTestFinished(() => void (isOver = true));
  // Where the loop looks at files and pipes, so that it is held up between what one look brought.
  const standStillAgain = (): void => {
    if (!isOver)
      stat("/", () => {
        standStill(70);
        standStillAgain();
      });
  };
  standStillAgain();
  for (let run = 0; run < 4; run++) {
    const { stdoutBytes, exitCode } = await workspace.executeCommand(`head -c ${printedBytes} /dev/zero`, {
      maxOutputBytes: 2 * printedBytes,
    });
    expect({ exitCode, bytes: stdoutBytes.length }).toEqual({ exitCode: 0, bytes: printedBytes });
  }
});

test("who goes on talking in the background keeps the end waiting for a while only", async () => {
  const workspace = await openLocal();
  const { stdout } = await workspace.executeCommand("(while echo more; do sleep 0.02; done) & echo done");
  expect(stdout).toContain("done\n");
});

/** The services in this process, so that a test can hold up the event loop that they live on. */
async function openLocal(): Promise<LocalWorkspace> {
  const workingDir = await mkdtemp(join(tmpdir(), "yonder-drain-"));
  onTestFinished(() => rm(workingDir, { recursive: true }));
  const workspace = await LocalWorkspace.open({ workingDir });
  onTestFinished(() => workspace.close());
  return workspace;
}

function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
