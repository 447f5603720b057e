import { describe, expect, test } from "vitest";
import type { CommandOptions, EndReason, ExecHandle } from "../../client/src/index.ts";
import { serve } from "../helpers/serve.ts";
import type { ServedWorkspace } from "../helpers/serve.ts";
import { tick } from "../helpers/time.ts";
import { until } from "../helpers/until.ts";
import { connect } from "../helpers/workspaces.ts";

/** Whatever ends a command, it has said this before. */
const say = "echo to stdout; echo to stderr >&2";

interface Ending {
  readonly reason: EndReason;
  /** The command, after `say`. */
  readonly command: string;
  readonly options?: CommandOptions;
  /** What is done once it has said it. */
  readonly act?: (handle: ExecHandle, server: ServedWorkspace) => unknown;
  readonly exitCode: number;
  readonly signal?: string;
}

// One process, and no shell that tells what became of another.
const sleeping = "exec sleep 600";
const stubborn = `trap '' TERM HUP INT; ${sleeping}`;

const endings: readonly Ending[] = [
  { reason: "EXITED", command: "exit 3", exitCode: 3 },
  { reason: "SIGNALED", command: "kill -USR1 $$", exitCode: -10, signal: "SIGUSR1" },
  { reason: "TIMED_OUT", command: sleeping, options: { timeoutMs: 2_000 }, exitCode: -1, signal: "SIGTERM" },
  {
    reason: "TIMED_OUT",
    command: stubborn,
    options: { timeoutMs: 2_000, killGraceMs: 100 },
    exitCode: -1,
    signal: "SIGKILL",
  },
  { reason: "IDLE_TIMED_OUT", command: sleeping, options: { idleTimeoutMs: 2_000 }, exitCode: -1, signal: "SIGTERM" },
  { reason: "KILLED", command: sleeping, act: (handle) => handle.kill("SIGINT"), exitCode: -2, signal: "SIGINT" },
  { reason: "KILLED", command: stubborn, act: (handle) => handle.kill("SIGKILL"), exitCode: -9, signal: "SIGKILL" },
  {
    reason: "OUTPUT_LIMIT",
    command: "read -r _; exec yes",
    options: { outputLimitBytes: 100_000 },
    act: (handle) => handle.stdin.write("\n"),
    exitCode: -15,
    signal: "SIGTERM",
  },
  {
    reason: "DISCONNECTED",
    command: sleeping,
    options: { disconnectGraceMs: 1_000 },
    exitCode: -15,
    signal: "SIGTERM",
  },
  {
    reason: "SERVER_STOPPED",
    command: sleeping,
    act: (_, server) => server.restart("SIGTERM"),
    exitCode: -15,
    signal: "SIGTERM",
  },
  { reason: "SERVER_LOST", command: sleeping, act: (_, server) => server.restart("SIGKILL"), exitCode: -1 },
];

describe("however a command ends, what it printed before is delivered, and why it ended is told", () => {
  test.for(endings.map((ending, index) => ({ ...ending, index })))(
    "$index: $reason",
    { timeout: 120_000 },
    async ({ reason, command, options = {}, act, exitCode, signal }) => {
      const server = await serve();
      const workspace = await connect({ host: server.url });
      const handle = await workspace.spawn(`${say}; ${command}`, { ...options, execId: "it" });

      const live = await readLive(
        handle,
        async () => {
          if (reason !== "DISCONNECTED") await act?.(handle, server);
        },
        reason === "DISCONNECTED",
      );
      const end = await handle.wait();
      expect(end).toMatchObject({ reason, exitCode, signal, timeoutOccurred: /TIMED_OUT/.test(reason) });
      if (reason !== "DISCONNECTED") expect(live.end).toEqual(end);
      const replayed = await readLive(handle);
      expect(replayed.end).toEqual(end);
      expect(replayed.stderr).toBe("to stderr\n");
      const first = replayed.stdout.slice(0, "to stdout\n".length);
      expect(first).toBe("to stdout\n");
      if (reason === "OUTPUT_LIMIT") expect(end.stdoutBytes + end.stderrBytes).toBe(100_000);
      else expect(replayed.stdout).toBe(first);
      expect([replayed.stdout.length, replayed.stderr.length]).toEqual([end.stdoutBytes, end.stderrBytes]);
      await until(() => server.marked.length === 0);

      // And once more by a server that was not there.
      await server.restart();
      const again = await readLive(await workspace.attach("it"));
      expect(again).toEqual(replayed);
    },
  );

  test("a server that is stopped leaves a command running where it is told to, and says so", async () => {
    const server = await serve({ flags: ["--on-stop=leave"] });
    const workspace = await connect({ host: server.url });
    const handle = await workspace.spawn(`${say}; exec sleep 600`, { execId: "it" });
    const live = await readLive(handle, () => server.stop());
    expect(live).toMatchObject({ stdout: "to stdout\n", stderr: "to stderr\n", end: { reason: "SERVER_STOPPED" } });
    expect(live.end?.message).toContain("left the command running");
    // One that is becoming another program has no environment for a moment.
    await until(() => server.marked.length > 0);
    expect(server.marked.map(({ pid }) => pid)).toEqual([handle.pid]);
    process.kill(handle.pid, "SIGKILL");
    await until(() => server.marked.length === 0);
  });
});

describe("a server that is stopped leaves nothing running that will not end", () => {
  const drainTimeout = { "while it is being ended with a long grace": "5s", "without time to wait for it": "0s" };

  test.for(Object.entries(drainTimeout))("%s", { timeout: 120_000 }, async ([, timeout]) => {
    const server = await serve({ flags: [`--drain-timeout=${timeout}`] });
    const workspace = await connect({ host: server.url });
    await workspace.executeCommand(`${stubborn} &`);
    const handle = await workspace.spawn(`${say}; ${stubborn}`, { timeoutMs: 100, killGraceMs: 60_000 });
    for await (const _ of handle.lines()) break;
    await tick(300);

    expect(await server.stop()).toBe(0);
    expect(server.marked).toEqual([]);
  });
});

test("time in which server and command were frozen does not count for a timeout", { timeout: 120_000 }, async () => {
  const [timeoutMs, frozenMs] = [2_000, 3_500];
  const server = await serve();
  const workspace = await connect({ host: server.url });
  const handle = await workspace.spawn("while :; do echo tick; sleep 0.05; done", { timeoutMs });
  const end = handle.wait();
  for await (const _ of handle.lines()) break;

  // A sleep that ends meanwhile is waited for by nobody.
  const frozen = [server.pid, handle.pid];
  for (const pid of frozen) process.kill(pid, "SIGSTOP");
  await tick(frozenMs);
  for (const pid of frozen.toReversed()) process.kill(pid, "SIGCONT");

  // Had it counted, it would have been ended as soon as the server woke up.
  const { reason, durationMs } = await end;
  expect(reason).toBe("TIMED_OUT");
  expect(durationMs).toBeGreaterThan(frozenMs + 500);
});

/** Reads to the end, or with `leave` to the last word before it. Calls `onSaid` once both streams have been heard of. */
async function readLive(handle: ExecHandle, onSaid?: () => unknown, leave = false) {
  const text = { stdout: "", stderr: "" };
  let acting: Promise<unknown> | undefined;
  for await (const event of handle.events()) {
    if (event.type === "output") text[event.stream] += event.text;
    if (text.stdout.includes("\n") && text.stderr.includes("\n")) {
      acting ??= Promise.resolve(onSaid?.());
      if (leave) break;
    }
    if (event.type !== "ended") continue;
    await acting;
    const { type: _, ...end } = event;
    return { ...text, end };
  }
  await acting;
  return { ...text, end: undefined };
}
