import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { ErrorReason, ExecRequestSchema } from "@yonder/proto";
import { describe, expect, onTestFinished, test } from "vitest";
import { iterate } from "../helpers/collect.ts";
import { argv, ExecServer, execServer, reasonOf, refusal, shell } from "../helpers/exec-server.ts";
import type { Refusal, Request } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

const server = execServer({ flags: ["--reader-stall-timeout=1s", "--journal-memory-bytes=64KiB"] });
/** Keeps nothing, runs one command at a time, has no addon of node-pty, and may not do everything, whoever runs these tests. */
const poor = execServer({
  flags: ["--max-running-execs=1", "--max-ended-execs=0"],
  env: { NODE_OPTIONS: "--no-addons" },
  ...(process.geteuid?.() === 0 ? { uid: 65_534 } : {}),
});
/** On a machine where no shell is found. */
const bare = execServer({ env: { PATH: "/nowhere" } });
const keyed = execServer({ env: { YONDER_SERVER_API_KEYS: "k".repeat(40) } });

/** Those of the exec and workspace services; what comes after them belongs to files and git. */
const reasons = Object.entries(ErrorReason).filter(([, value]) => value > 0 && value < 40);

/** Each reason as a caller meets it, with its status and what it is about. */
const provoke: Record<string, () => Promise<Refusal & { expected: [code: string, subject: string] }>> = {
  INVALID_FIELD: async () =>
    met("INVALID_ARGUMENT", "timeout", await startRefused({ program: shell("true"), timeout: { seconds: -1n } })),

  MISSING_FIELD: async () => met("INVALID_ARGUMENT", "command", await startRefused({})),

  UNKNOWN_FIELD: async () => {
    const $unknown = [{ no: 999, wireType: 0, data: new Uint8Array([1]) }];
    const request = Object.assign(create(ExecRequestSchema, { program: shell("true") }), { $unknown });
    return met("INVALID_ARGUMENT", "yonder.workspace.v1.ExecRequest:999", await refusal(server.exec.exec(request)));
  },

  UNKNOWN_SIGNAL: async () => {
    const { execId } = await server.spawn("true");
    return met("INVALID_ARGUMENT", "FOO", await refusal(server.exec.sendSignal({ execId, signal: "FOO" })));
  },

  ARGUMENTS_TOO_LARGE: async () =>
    met("INVALID_ARGUMENT", "true", await startRefused({ program: argv("true", "x".repeat(200_000)) })),

  CREDENTIALS_MISSING: async () => met("UNAUTHENTICATED", "", await refusal(keyed.workspace.getInfo({}))),

  CREDENTIALS_INVALID: async () => {
    const { exec } = keyed.stubs({ authorization: "Bearer another" });
    return met("UNAUTHENTICATED", "", await refusal(exec.listExecs({})));
  },

  EXEC_NOT_FOUND: async () => met("NOT_FOUND", "nobody", await refusal(server.exec.getExec({ execId: "nobody" }))),

  EXEC_EXPIRED: async () => {
    const { execId } = await poor.spawn("true");
    await until(async () => (await reasonOf(poor.exec.getExec({ execId }))) !== undefined);
    return met("NOT_FOUND", execId, await refusal(poor.exec.getExec({ execId })));
  },

  DIRECTORY_NOT_FOUND: async () =>
    met("NOT_FOUND", "/no/such", await startRefused({ program: shell("true"), workingDirectory: "/no/such" })),

  PROGRAM_NOT_FOUND: async () => met("NOT_FOUND", "no-such-one", await startRefused({ program: argv("no-such-one") })),

  USER_NOT_FOUND: async () =>
    met("NOT_FOUND", "no-such-one", await startRefused({ program: shell("true"), user: "no-such-one" })),

  EXEC_ID_CONFLICT: async () => {
    const { execId } = await server.spawn("true");
    return met("ALREADY_EXISTS", execId, await startRefused({ execId, program: shell("false") }));
  },

  REQUEST_ID_CONFLICT: async () => {
    const { execId } = await server.spawn("sleep 1000");
    await server.exec.sendSignal({ execId, signal: "CONT", requestId: "one" });
    const refused = await refusal(server.exec.sendSignal({ execId, signal: "HUP", requestId: "one" }));
    await server.exec.sendSignal({ execId, signal: "KILL" });
    return met("ALREADY_EXISTS", "one", refused);
  },

  NOT_A_DIRECTORY: async () =>
    met(
      "FAILED_PRECONDITION",
      "/dev/null",
      await startRefused({ program: shell("true"), workingDirectory: "/dev/null" }),
    ),

  PROGRAM_NOT_EXECUTABLE: async () =>
    met("FAILED_PRECONDITION", "/etc/passwd", await startRefused({ program: argv("/etc/passwd") })),

  NOT_A_TERMINAL: async () => {
    const { execId } = await server.spawn("true");
    const refused = await refusal(server.exec.resizeTerminal({ execId, columns: 80, rows: 24 }));
    return met("FAILED_PRECONDITION", execId, refused);
  },

  EXEC_ENDED: async () => {
    const { execId } = await server.spawn("true", { stdin: {} });
    await server.ended(execId);
    return met("FAILED_PRECONDITION", execId, await refusal(server.exec.writeStdin({ execId })));
  },

  STDIN_CLOSED: async () => {
    const { execId } = await server.spawn("sleep 1000");
    const refused = await refusal(server.exec.writeStdin({ execId, data: Buffer.from("x") }));
    await server.exec.sendSignal({ execId, signal: "KILL" });
    return met("FAILED_PRECONDITION", execId, refused);
  },

  STDIN_OFFSET_GAP: async () => {
    const { execId } = await server.spawn("cat", { stdin: {} });
    const refused = await refusal(server.exec.writeStdin({ execId, offset: 1n }));
    await server.exec.writeStdin({ execId, eof: true });
    expect(refused.detail?.expectedOffset).toBe(0n);
    return met("FAILED_PRECONDITION", execId, refused);
  },

  INSTANCE_CHANGED: async () => {
    const refused = await startRefused({ program: shell("true"), expectedInstanceId: "another" });
    expect(refused.detail?.instanceId).toBe((await server.workspace.getInfo({})).instanceId);
    return met("FAILED_PRECONDITION", "expected_instance_id", refused);
  },

  CURSOR_OUT_OF_RANGE: async () => {
    const { execId } = await server.spawn("true");
    await server.ended(execId);
    const start = { case: "cursor" as const, value: 1n };
    return met("OUT_OF_RANGE", execId, await refusal(server.exec.readOutput({ execId, start })));
  },

  ACCESS_DENIED: async () => {
    const closed = mkdtempSync(join(tmpdir(), "yonder-closed-"));
    chmodSync(closed, 0);
    onTestFinished(() => rmSync(closed, { recursive: true }));
    const request = { program: shell("true"), workingDirectory: closed };
    return met("PERMISSION_DENIED", closed, await refusal(poor.exec.startExec({ exec: request })));
  },

  LIMIT_EXCEEDED: async () => {
    const { execId } = await poor.spawn("sleep 1000");
    const refused = await refusal(poor.spawn("true"));
    await poor.exec.sendSignal({ execId, signal: "KILL" });
    // The next one is to find room.
    await until(async () => (await poor.workspace.getInfo({})).runningExecs === 0);
    expect(refused.detail?.limit).toMatchObject({ name: "max_running_execs", value: 1n });
    return met("RESOURCE_EXHAUSTED", "", refused);
  },

  MACHINE_EXHAUSTED: async () => {
    await server.run("true");
    // Below all that it has open: one that it closes meanwhile makes no room.
    limit("nofile", 3);
    const refused = await refusal(server.spawn({ program: argv("true") })).finally(() => limit("nofile", 1024));
    expect((await server.run("echo again")).stdout).toBe("again\n");
    return met("RESOURCE_EXHAUSTED", "true", refused);
  },

  STORAGE_FULL: async () => {
    const { execId } = await server.spawn("read -r _; echo done", { stdin: {} });
    const next = { execId: server.newId(), program: shell("touch ran") };
    limit("fsize", 1);
    const refused = await refusal(server.exec.startExec({ exec: next })).finally(() => limit("fsize", 2 ** 40));
    expect(readdirSync(server.directory)).toEqual([]);
    // What runs already goes on and ends.
    await server.exec.writeStdin({ execId, data: Buffer.from("\n") });
    expect(await server.printed(execId, "done\n")).toBe("done\n");
    expect((await server.run(next)).ended.exitCode).toBe(0);
    return met("RESOURCE_EXHAUSTED", next.execId, refused);
  },

  READER_STALLED: async () => {
    const execId = server.newId();
    const size = 32 * 2 ** 20;
    const program = shell(`head -c ${size} /dev/zero`);
    // So that it is held back for its reader until that one is given up.
    const output = { keepBytes: 64n * 1024n };
    const events = iterate(server.exec.exec({ execId, program, output }));
    await events.next();
    expect((await server.ended(execId)).endCursor).toBe(BigInt(size));
    let reached = 0n;
    const refused = await refusal(
      (async () => {
        for (let next = await events.next(); next.done !== true; next = await events.next()) {
          const { event } = next.value.event ?? {};
          if (event?.case === "output") reached = event.value.cursor + BigInt(event.value.data.length);
        }
      })(),
    );
    expect(refused.detail?.expectedOffset).toBe(reached);
    return met("ABORTED", execId, refused);
  },

  TERMINAL_UNSUPPORTED: async () => {
    const refused = await refusal(poor.spawn("true", { terminal: {} }));
    expect(refused.detail?.remedy).toContain("node-pty");
    expect((await poor.run("echo works")).stdout).toBe("works\n");
    return met("UNIMPLEMENTED", "", refused);
  },

  LIMIT_UNSUPPORTED: async () => {
    const limits = { openFiles: 64n };
    const refused = await refusal(bare.spawn({ program: argv("/bin/true") }, { limits }));
    return met("UNIMPLEMENTED", "limits.open_files", refused);
  },

  USER_UNSUPPORTED: async () => met("UNIMPLEMENTED", "root", await refusal(poor.spawn("true", { user: "root" }))),

  SERVER_STOPPING: async () => {
    const own = new ExecServer({ flags: ["--drain-timeout=100ms"] });
    onTestFinished(() => own.end());
    await own.start();
    const { execId } = await own.spawn("trap '' TERM; echo ready; while :; do sleep 0.1; done");
    await own.printed(execId, "ready\n");
    const refused = refusal(own.exec.attach({ execId }));
    await until(async () => (await own.exec.getExec({ execId })).exec?.readers === 1);
    process.kill(own.served.pid, "SIGTERM");
    const cut = await refused;
    await until(() => !own.served.isRunning);
    // Who was given no time to go is gone all the same.
    expect(own.served.marked).toEqual([]);
    return met("UNAVAILABLE", "", cut);
  },

  INTERNAL: async () => {
    const { execId } = await server.spawn("head -c 200000 /dev/zero; sleep 1000");
    await until(async () => (await server.exec.getExec({ execId })).exec?.endCursor === 200_000n);
    const output = join(server.served.stateDirectory, "output");
    for (const file of readdirSync(output)) rmSync(join(output, file));
    const refused = await refusal(server.exec.readOutput({ execId }));
    expect(refused.message).not.toContain(server.served.stateDirectory);
    await until(() => server.served.log.includes(refused.subject ?? "never"));
    expect(server.served.log).toContain("ENOENT");
    return met("INTERNAL", refused.subject ?? "", refused);
  },
};

test("there is a way to provoke every reason of the exec and workspace services", () => {
  expect(Object.keys(provoke).toSorted()).toEqual(reasons.map(([name]) => name).toSorted());
});

describe("is met by a caller:", () => {
  test.for(reasons)("%s", async ([name]) => {
    const act = provoke[name];
    if (act === undefined) throw new Error(`no test provokes ${name}`);
    const { code, reason, subject, message, expected } = await act();
    expect({ reason, code, subject }).toEqual({ reason: name, code: expected[0], subject: expected[1] });
    expect(message.length).toBeGreaterThan(10);
    expect(message.length).toBeLessThan(1025);
  });
});

function met(code: string, subject: string, refused: Refusal): Refusal & { expected: [string, string] } {
  return { ...refused, expected: [code, subject] };
}

async function startRefused(request: Request): Promise<Refusal> {
  return await refusal(server.exec.startExec({ exec: { execId: server.newId(), ...request } }));
}

/** Bounds what the server's process may use, from here on. */
function limit(resource: "nofile" | "fsize", value: number): void {
  execFileSync("prlimit", [`--pid=${server.served.pid}`, `--${resource}=${value}:`]);
}
