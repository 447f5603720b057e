import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Users } from "../../../server/src/users/users.ts";
import { defaultLimits } from "../../../server/src/util/limits.ts";
import { nobody } from "../../helpers/nobody.ts";

const identity = { workspaceId: "w", instanceId: "i" };
const settings = { identity, workingDirectory: "/", confine: undefined, limits: defaultLimits };
const answers = "console.log('ready'); process.stdin.resume()";

/** A user's processes, of which each does what the script says in the place of one that serves. */
function openUsers(script: string): { users: Users; started: ChildProcess[] } {
  const directory = mkdtempSync(join(tmpdir(), "yonder-users-"));
  const started: ChildProcess[] = [];
  const startAsUser = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "pipe", "pipe"] });
    started.push(child);
    return child;
  };
  const users = new Users({ launcher: { startAsUser }, directory, settings, onInternalError: () => {} });
  onTestFinished(async () => {
    for (const child of started) child.kill("SIGKILL");
    await users.close();
    rmSync(directory, { recursive: true });
  });
  return { users, started };
}

test.skipIf(nobody === undefined).each(["stop", "close"] as const)(
  "a process that does not answer yet holds up no end of the server: %s",
  async (end) => {
    const { users, started } = openUsers("setInterval(() => {}, 1000)");
    const taken = users.take(String(nobody)).catch((error: unknown) => error);
    await expect.poll(() => started.length).toBe(1);
    await users[end]();
    expect(await taken).toMatchObject({ reason: "SERVER_STOPPING" });
    expect(started[0]?.signalCode).toBe("SIGKILL");
    await expect(users.take(String(nobody))).rejects.toMatchObject({ reason: "SERVER_STOPPING" });
  },
);

test.skipIf(nobody === undefined)(
  "a call for a user whose process was killed just before has another one",
  async () => {
    const { users, started } = openUsers(answers);
    const first = await users.take(String(nobody));
    first?.release();
    const [child] = started;
    child?.kill("SIGKILL");
    await once(child ?? process, "exit");
    const second = await users.take(String(nobody));
    expect([first?.isAlive, second?.isAlive, started.length]).toEqual([false, true, 2]);
    second?.release();
  },
);
