import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { eachLine } from "../../../server/src/users/user-process-words.ts";
import { UserProcess } from "../../../server/src/users/user-process.ts";
import { defaultLimits } from "../../../server/src/util/limits.ts";
import { gone } from "../../helpers/serve.ts";

const identity = { workspaceId: "w", instanceId: "i" };
const settings = { identity, workingDirectory: "/", confine: undefined, limits: defaultLimits };

/** A process that does what the script says, in the place of one that serves. */
function start(script: string): ChildProcess {
  const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function open(script: string) {
  const failures: [string, unknown][] = [];
  const idle = Promise.withResolvers<void>();
  const child = start(script);
  const opened = UserProcess.open(child, {
    settings,
    onInternalError: (id, error) => failures.push([id, error]),
    onIdle: idle.resolve,
  });
  return { opened, failures, idle: idle.promise, pid: child.pid ?? 0 };
}

test("a process says what failed in it, when it can be used and when it is idle; what is none of that is passed over", async () => {
  const lines = ["nonsense", "failure {", "failure {}", 'failure {"id":"a","cause":"boom"}', "ready", "idle"];
  const { opened, failures, idle } = await open(
    `console.log(${JSON.stringify(lines.join("\n"))}); process.stdin.resume()`,
  );
  const process = await opened;
  await idle;
  expect(failures).toEqual([["a", expect.objectContaining({ message: "boom" })]]);
  expect(process.isAlive).toBe(true);
  await process.end();
  expect(process.isAlive).toBe(false);
});

test("one that ends before it can be used is told with its last words", async () => {
  const { opened } = await open("console.error('no such thing'); process.exit(3)");
  await expect(opened).rejects.toThrow("it ended with code 3: no such thing");
});

test("one that cannot be started is told so", async () => {
  const child = spawn("/no/such/program", { stdio: ["pipe", "pipe", "pipe", "pipe"] });
  const opened = UserProcess.open(child, { settings, onInternalError: () => {}, onIdle: () => {} });
  await expect(opened).rejects.toThrow(/ENOENT/);
});

test("one that does not end when it is told to is ended all the same", async () => {
  const { opened, pid } = await open("console.log('ready'); setInterval(() => {}, 1000)");
  await (await opened).end();
  await gone(pid);
});

test("lines are whole however they arrive, and endless ones are not kept", () => {
  const lines: string[] = [];
  const take = eachLine(10, (line) => lines.push(line));
  for (const text of ["re", "ady\nid", "le\n", "x".repeat(50), "y\n", "last\n"]) take(text);
  expect(lines).toEqual(["ready", "idle", "y", "last"]);
});
