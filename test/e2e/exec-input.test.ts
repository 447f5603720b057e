import { chmod, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { AttachRequestSchema, ExecDisposition, ExecState, ReadOutputRequestSchema } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { argv, execServer, refusal, refusals, shell, textOf, told } from "../helpers/exec-server.ts";
import type { Refusal, Request } from "../helpers/exec-server.ts";
import { nobody } from "../helpers/nobody.ts";

const server = execServer();
/** What every refused command would have left behind. */
const traces = () => join(server.directory, "traces");
const trace = "touch traces/ran";

beforeAll(async () => {
  await mkdir(traces());
  await writeFile(join(server.directory, "plain-file"), "");
  await writeFile(join(server.directory, "not-executable"), "#!/bin/sh\n");
  await writeFile(join(server.directory, "no-interpreter"), "#!/no/such/interpreter\n", { mode: 0o755 });
  await writeFile(join(server.directory, "plain-text"), "echo ran >> traces/ran\n", { mode: 0o755 });
  await symlink("nowhere", join(server.directory, "dangling"));
  await symlink("loop", join(server.directory, "loop"));
});

interface Case {
  readonly request: Request;
  readonly code: string;
  readonly reason: string;
  /** "/" at its begin stands for the workspace's directory. */
  readonly subject?: string;
  readonly says: RegExp;
}

const invalid = (subject: string, says: RegExp, request: Request): Case => ({
  request,
  code: "INVALID_ARGUMENT",
  reason: "INVALID_FIELD",
  subject,
  says,
});
const missing = (subject: string, request: Request): Case => ({
  request,
  code: "INVALID_ARGUMENT",
  reason: "MISSING_FIELD",
  subject,
  says: new RegExp(subject.replaceAll(".", "\\.")),
});
const variables = (variables: Record<string, string>): Request => ({ environment: { variables } });
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, ""]));
const huge = 1n << 60n;

const cases: Record<string, Case> = {
  "no program": missing("command", { program: { case: undefined } }),
  "an empty shell line": missing("command", { program: shell("") }),
  "a blank shell line": missing("command", { program: shell(" \t\n ") }),
  "an empty argument list": missing("args.values", { program: argv() }),
  "an empty program": missing("args.values", { program: argv("", "x") }),
  "a NUL byte in a shell line": invalid("command", /NUL/, { program: shell("touch traces/ran\0") }),
  "a NUL byte in an argument": invalid("args.values[1]", /NUL/, { program: argv("touch", "traces/ran\0") }),
  "a NUL byte in a directory": invalid("working_directory", /NUL/, { workingDirectory: "a\0b" }),
  "a NUL byte in a directory's bytes": invalid("raw_working_directory", /NUL/, {
    rawWorkingDirectory: Buffer.from("a\0b"),
  }),
  "a NUL byte in a variable's value": invalid("environment.variables[KEY]", /NUL/, variables({ KEY: "sec\0ret" })),
  "a NUL byte in a user": invalid("user", /NUL/, { user: "root\0" }),
  "a NUL byte in a terminal's type": invalid("terminal.terminal_type", /NUL/, { terminal: { terminalType: "a\0" } }),
  "a NUL byte in a label": invalid("labels", /NUL/, { labels: { name: "a\0b" } }),
  "a directory both as text and as bytes": invalid("working_directory", /raw_working_directory/, {
    workingDirectory: "a",
    rawWorkingDirectory: Buffer.from("a"),
  }),

  "a variable whose name is a command": invalid(
    "environment.variables",
    /A; whoami #/,
    variables({ "A; whoami #": "" }),
  ),
  "a variable without a name": invalid("environment.variables", /""/, variables({ "": "x" })),
  "a variable whose name holds =": invalid("environment.variables", /A=B/, variables({ "A=B": "x" })),
  "a variable whose name begins with a digit": invalid("environment.variables", /1A/, variables({ "1A": "x" })),
  "a variable whose name holds a NUL byte": invalid("environment.variables", /A\\u0000/, variables({ "A\0": "x" })),
  "the server's own mark": invalid("environment.variables", /YONDER_EXEC_MARK/, variables({ YONDER_EXEC_MARK: "x" })),
  "an illegal name to unset": invalid("environment.unset", /A=B/, { environment: { unset: ["A=B"] } }),

  "a negative timeout": invalid("timeout", /-1000 ms/, { timeout: { seconds: -1n } }),
  "a timeout in negative nanoseconds": invalid("timeout", /-0.000001 ms/, { timeout: { nanos: -1 } }),
  "a timeout of less than a millisecond": invalid("timeout", /0.5 ms/, { timeout: { nanos: 500_000 } }),
  "a timeout past the longest": invalid("timeout", /31536000001 ms.*31536000000/, {
    timeout: { seconds: 31_536_000n, nanos: 1_000_000 },
  }),
  "a timeout of 2⁶⁰ seconds": invalid("timeout", /ms; the range is/, { timeout: { seconds: huge } }),
  "nanoseconds that are a second and more": invalid("timeout", /1000000000 ns/, { timeout: { nanos: 1_000_000_000 } }),
  "seconds and nanoseconds of different sign": invalid("timeout", /1 s and -1 ns/, {
    timeout: { seconds: 1n, nanos: -1 },
  }),
  "a negative idle timeout": invalid("idle_timeout", /-1000 ms/, { idleTimeout: { seconds: -1n } }),
  "an idle timeout past the longest": invalid("idle_timeout", /range/, { idleTimeout: { seconds: huge } }),
  "a negative disconnect grace": invalid("disconnect_grace", /-1000 ms/, { disconnectGrace: { seconds: -1n } }),
  "a disconnect grace past the longest": invalid("disconnect_grace", /range/, { disconnectGrace: { seconds: huge } }),
  "a negative kill grace": invalid("kill_grace", /-1000 ms/, { killGrace: { seconds: -1n } }),
  "a kill grace of more than a minute": invalid("kill_grace", /61000 ms.*60000/, { killGrace: { seconds: 61n } }),

  "more labels than are taken": invalid("labels", /65 entries.*64/, { labels: many(65) }),
  "a label name that is too long": invalid("labels", /1025 bytes.*1024/, { labels: { ["n".repeat(1025)]: "" } }),
  "a label value that is too long in bytes": invalid("labels", /1026 bytes/, { labels: { name: "é".repeat(513) } }),
  "a label without a name": invalid("labels", /empty name/, { labels: { "": "x" } }),

  "a terminal of negative width": invalid("terminal.columns", /-1/, { terminal: { columns: -1, rows: 24 } }),
  "a terminal that is too wide": invalid("terminal.columns", /10001.*10000/, { terminal: { columns: 10_001 } }),
  "a terminal that is too high": invalid("terminal.rows", /10001.*10000/, { terminal: { rows: 10_001 } }),

  "a memory limit below 1 MiB": invalid("limits.memory_bytes", /1048575.*1048576/, {
    limits: { memoryBytes: 1_048_575n },
  }),
  "a negative memory limit": invalid("limits.memory_bytes", /-1/, { limits: { memoryBytes: -1n } }),
  "a negative limit of processes": invalid("limits.processes", /-1/, { limits: { processes: -1n } }),
  "a negative limit of open files": invalid("limits.open_files", /-1/, { limits: { openFiles: -1n } }),
  "a negative CPU time": invalid("limits.cpu_time", /-1000 ms/, { limits: { cpuTime: { seconds: -1n } } }),
  "more bytes to keep than the server keeps": invalid("output.keep_bytes", /1073741825.*1073741824/, {
    output: { keepBytes: 2n ** 30n + 1n },
  }),
  "a negative number of bytes to keep": invalid("output.keep_bytes", /-1/, { output: { keepBytes: -1n } }),
  "a negative number of bytes to print": invalid("output.max_bytes", /-1/, { output: { maxBytes: -1n } }),
  "a reader's name that is too long": invalid("reader_id", /129 characters.*128/, { readerId: "r".repeat(129) }),

  "an unknown directory": {
    request: { workingDirectory: "no such directory" },
    code: "NOT_FOUND",
    reason: "DIRECTORY_NOT_FOUND",
    subject: "/no such directory",
    says: /no such directory/,
  },
  "a directory behind a dangling link": {
    request: { workingDirectory: "dangling" },
    code: "NOT_FOUND",
    reason: "DIRECTORY_NOT_FOUND",
    subject: "/dangling",
    says: /dangling/,
  },
  "a directory behind a link to itself": {
    request: { workingDirectory: "loop" },
    code: "NOT_FOUND",
    reason: "DIRECTORY_NOT_FOUND",
    subject: "/loop",
    says: /loop/,
  },
  "a directory whose name is too long": {
    request: { workingDirectory: "x".repeat(300) },
    code: "NOT_FOUND",
    reason: "DIRECTORY_NOT_FOUND",
    says: /xxx/,
  },
  "a file as directory": {
    request: { workingDirectory: "plain-file" },
    code: "FAILED_PRECONDITION",
    reason: "NOT_A_DIRECTORY",
    subject: "/plain-file",
    says: /plain-file/,
  },
  "a file on the way to a directory": {
    request: { workingDirectory: "plain-file/below" },
    code: "FAILED_PRECONDITION",
    reason: "NOT_A_DIRECTORY",
    subject: "/plain-file/below",
    says: /plain-file/,
  },
  "a program that is in no directory of the PATH": {
    request: { program: argv("no-such-program-anywhere", "x") },
    code: "NOT_FOUND",
    reason: "PROGRAM_NOT_FOUND",
    subject: "no-such-program-anywhere",
    says: /no-such-program-anywhere/,
  },
  "a path to no program": {
    request: { program: argv("./no-such-program") },
    code: "NOT_FOUND",
    reason: "PROGRAM_NOT_FOUND",
    subject: "./no-such-program",
    says: /no-such-program/,
  },
  "a program without the right to be run": {
    request: { program: argv("./not-executable") },
    code: "FAILED_PRECONDITION",
    reason: "PROGRAM_NOT_EXECUTABLE",
    subject: "./not-executable",
    says: /not-executable/,
  },
  "a directory as program": {
    request: { program: argv("./traces") },
    code: "FAILED_PRECONDITION",
    reason: "PROGRAM_NOT_EXECUTABLE",
    subject: "./traces",
    says: /traces/,
  },
  "a script whose interpreter is missing": {
    request: { program: argv("./no-interpreter") },
    code: "FAILED_PRECONDITION",
    reason: "PROGRAM_NOT_EXECUTABLE",
    subject: "./no-interpreter",
    says: /no-interpreter/,
  },
  "a text that names no interpreter": {
    request: { program: argv("./plain-text") },
    code: "FAILED_PRECONDITION",
    reason: "PROGRAM_NOT_EXECUTABLE",
    subject: "./plain-text",
    says: /plain-text/,
  },
  "an argument that the kernel refuses for its size": {
    request: { program: argv("true", "x".repeat(200_000)) },
    code: "INVALID_ARGUMENT",
    reason: "ARGUMENTS_TOO_LARGE",
    subject: "true",
    says: /true.*\d{6} bytes/,
  },
  "an unknown user": {
    request: { user: "no-such-user" },
    code: "NOT_FOUND",
    reason: "USER_NOT_FOUND",
    subject: "no-such-user",
    says: /no-such-user/,
  },
  "another server than the one that is meant": {
    request: { expectedInstanceId: "11111111-2222-3333-4444-555555555555" },
    code: "FAILED_PRECONDITION",
    reason: "INSTANCE_CHANGED",
    subject: "expected_instance_id",
    says: /11111111-2222-3333-4444-555555555555.*nothing was done/,
  },
};

describe("is refused before anything runs, and leaves its id free:", () => {
  test.for(Object.entries(cases))("%s", async ([, { request, code, reason, subject, says }]) => {
    const execId = server.newId();
    const asked = { execId, program: shell(trace), ...request };
    const wanted = subject?.startsWith("/") === true ? server.directory + subject : subject;

    const refused = [
      await refusal(server.exec.exec(asked)),
      // What names a reader is nothing to a call that does not read.
      ...("readerId" in request ? [] : [await refusal(server.exec.startExec({ exec: asked }))]),
    ];

    for (const each of refused) {
      expect(each).toMatchObject({ code, reason, message: expect.stringMatching(says) });
      if (wanted !== undefined) expect(each.subject).toBe(wanted);
      expect(each.message).not.toMatch(/sec.ret/);
    }
    expect(await refusal(server.exec.getExec({ execId }))).toMatchObject({ reason: "EXEC_NOT_FOUND" });
    const { disposition } = await server.exec.startExec({ exec: { execId, program: shell("true") } });
    expect(disposition).toBe(ExecDisposition.CREATED);
    expect(await readdir(traces())).toEqual([]);
  });

  test.for([
    ["too long", "x".repeat(129), /x{128}/],
    ["with a slash", "../state", /\.\.\/state/],
    ["with a space", "a b", /"a b"/],
    ["that is no ASCII", "é", /é/],
    ["with a line feed", "a\nb", /a\\nb/],
  ] as const)("an exec id %s", async ([, execId, says]) => {
    const wanted = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", subject: "exec_id" };
    const program = shell(trace);
    const refused = await refusal(server.exec.startExec({ exec: { execId, program } }));
    expect(refused).toMatchObject({ ...wanted, message: expect.stringMatching(says) });
    expect(await refusal(server.exec.exec({ execId, program }))).toMatchObject(wanted);
    expect(await readdir(traces())).toEqual([]);
  });

  test("an id of 128 characters of all kinds is taken", async () => {
    const execId = "Az09._:-".repeat(16);
    expect((await server.run({ execId, program: shell("echo hi") })).stdout).toBe("hi\n");
  });

  test("StartExec without an exec", async () => {
    expect(await refusal(server.exec.startExec({}))).toMatchObject({
      code: "INVALID_ARGUMENT",
      reason: "MISSING_FIELD",
      subject: "exec",
    });
  });

  test("an id that belongs to another request", async () => {
    const { execId } = await server.spawn("true");
    const others: Request[] = [
      { program: shell("false") },
      { program: argv("true") },
      { program: shell("true"), labels: { a: "b" } },
      { program: shell("true"), timeout: { seconds: 1n } },
      { program: shell("true"), environment: { variables: { A: "b" } } },
      { program: shell("true"), stdin: {} },
      { program: shell("true"), killGrace: { seconds: 1n } },
      { program: shell("true"), workingDirectory: "traces" },
    ];
    for (const other of others) {
      const refused = await refusal(server.exec.startExec({ exec: { execId, ...other } }));
      expect(refused).toMatchObject({ code: "ALREADY_EXISTS", reason: "EXEC_ID_CONFLICT", subject: execId });
      expect(refused.message).toContain(execId);
    }
    const same = { execId, program: shell("true"), readerId: "me" };
    expect((await told(server.exec.exec(same))).started?.disposition).toBe(ExecDisposition.JOINED);
  });

  test("a message that is larger than the server takes", async () => {
    const program = shell(`${trace} # ${"x".repeat(4 * 1024 * 1024)}`);
    const refused = await refusal(server.exec.startExec({ exec: { execId: server.newId(), program } }));
    expect(refused.code).toBe("RESOURCE_EXHAUSTED");
    expect(await readdir(traces())).toEqual([]);
  });
});

test("a shell line of 300 KB, with everything a shell could trip over, runs as it is", async () => {
  const text = "$x `y` \\ \" ' é\n".repeat(20_000);
  const { stdout } = await server.run(`cat <<'END'\n${text}END\n`);
  expect(stdout).toBe(text);
});

describe("an unknown id is EXEC_NOT_FOUND in", () => {
  const execId = "never-started";
  const calls: Record<string, () => Promise<unknown> | AsyncIterable<unknown>> = {
    Attach: () => server.exec.attach({ execId }),
    GetExec: () => server.exec.getExec({ execId, wait: { seconds: 10n } }),
    ReadOutput: () => server.exec.readOutput({ execId }),
    WriteStdin: () => server.exec.writeStdin({ execId, data: Buffer.from("x") }),
    SendSignal: () => server.exec.sendSignal({ execId, signal: "TERM" }),
    ResizeTerminal: () => server.exec.resizeTerminal({ execId, columns: 80, rows: 24 }),
  };
  test.for(Object.entries(calls))("%s", async ([, call]) => {
    expect(await refusal(call())).toMatchObject({
      code: "NOT_FOUND",
      reason: "EXEC_NOT_FOUND",
      subject: execId,
      message: expect.stringContaining(`"${execId}"`),
    });
  });
});

describe("without an id, or with one that can be none, is refused", () => {
  test.for(["", "a/b"])("%j", async (execId) => {
    const calls = [
      server.exec.attach({ execId }),
      server.exec.getExec({ execId }),
      server.exec.readOutput({ execId }),
      server.exec.writeStdin({ execId }),
      server.exec.sendSignal({ execId, signal: "TERM" }),
      server.exec.resizeTerminal({ execId, columns: 80, rows: 24 }),
    ];
    const reason = execId === "" ? "MISSING_FIELD" : "INVALID_FIELD";
    for (const refused of await refusals(calls)) {
      expect(refused).toMatchObject({ code: "INVALID_ARGUMENT", reason, subject: "exec_id" });
    }
  });
});

describe("on a running command is refused:", () => {
  let execId = "";
  let terminal = "";
  beforeAll(async () => {
    ({ execId } = await server.spawn("echo printed; sleep 1000", { stdin: { data: Buffer.from("12345") } }));
    ({ execId: terminal } = await server.spawn("sleep 1000", { terminal: {} }));
    await server.printed(execId, "printed\n");
    return async () => {
      for (const id of [execId, terminal]) await server.exec.sendSignal({ execId: id, signal: "KILL" });
    };
  });

  test("standard input past what was taken, with the offset to go on from", async () => {
    const refused = await refusal(server.exec.writeStdin({ execId, offset: 6n, data: Buffer.from("7") }));
    expect(refused).toMatchObject({
      code: "FAILED_PRECONDITION",
      reason: "STDIN_OFFSET_GAP",
      subject: execId,
      detail: { expectedOffset: 5n },
      message: expect.stringMatching(/at 5.*offset 6/),
    });
    const { exec } = await server.exec.getExec({ execId });
    expect(exec).toMatchObject({ stdinOffset: 5n, stdinOpen: true });
  });

  test("standard input at a negative offset", async () => {
    const refused = await refusal(server.exec.writeStdin({ execId, offset: -1n, data: Buffer.from("x") }));
    expect(refused).toMatchObject({
      reason: "INVALID_FIELD",
      subject: "offset",
      message: expect.stringContaining("-1"),
    });
  });

  test("a size for what is no terminal, and its screen", async () => {
    const wanted = { code: "FAILED_PRECONDITION", reason: "NOT_A_TERMINAL", subject: execId };
    expect(await refusal(server.exec.resizeTerminal({ execId, columns: 80, rows: 24 }))).toMatchObject(wanted);
    const start = { case: "screen" as const, value: true };
    expect(await refusal(server.exec.attach({ execId, start }))).toMatchObject(wanted);
  });

  test.for([
    [0, 24, "columns"],
    [80, 0, "rows"],
    [-5, 24, "columns"],
    [10_001, 24, "columns"],
    [80, 10_001, "rows"],
  ] as const)("a terminal of %i by %i", async ([columns, rows, subject]) => {
    const value = String(subject === "columns" ? columns : rows);
    const refused = await refusal(server.exec.resizeTerminal({ execId: terminal, columns, rows }));
    expect(refused).toMatchObject({ reason: "INVALID_FIELD", subject, message: expect.stringContaining(value) });
    const { exec } = await server.exec.getExec({ execId: terminal });
    expect(exec?.terminal).toMatchObject({ columns: 80, rows: 24 });
  });

  test.for(["SIGFOO", "0", "-1", "65", "SIGRTMIN-1", "SIGRTMIN+31", "9x", "KILL,TERM", "999", " "])(
    "the signal %j",
    async (signal) => {
      expect(await refusal(server.exec.sendSignal({ execId, signal }))).toMatchObject({
        code: "INVALID_ARGUMENT",
        reason: "UNKNOWN_SIGNAL",
        subject: signal,
        message: expect.stringContaining(JSON.stringify(signal)),
      });
    },
  );

  test("no signal, an unknown target, a request id that is too long", async () => {
    const send = (more: object) => refusal(server.exec.sendSignal({ execId, signal: "KILL", ...more }));
    expect(await send({ signal: "" })).toMatchObject({ reason: "MISSING_FIELD", subject: "signal" });
    expect(await send({ target: 77 })).toMatchObject({
      reason: "INVALID_FIELD",
      subject: "target",
      message: expect.stringContaining("77"),
    });
    expect(await send({ requestId: "r".repeat(129) })).toMatchObject({
      reason: "INVALID_FIELD",
      subject: "request_id",
    });
  });

  test("a cursor past the newest byte, with that byte's, and a negative one", async () => {
    const at = (value: bigint) => ({ case: "cursor" as const, value });
    const past = {
      code: "OUT_OF_RANGE",
      reason: "CURSOR_OUT_OF_RANGE",
      subject: execId,
      detail: { expectedOffset: 8n },
      message: expect.stringMatching(/9.*8/),
    };
    expect(await refusal(server.exec.attach({ execId, start: at(9n) }))).toMatchObject(past);
    expect(await refusal(server.exec.readOutput({ execId, start: at(9n) }))).toMatchObject(past);
    expect(await refusal(server.exec.readOutput({ execId, start: at(1n << 62n) }))).toMatchObject({
      reason: "INVALID_FIELD",
    });
    const negative = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", subject: "cursor" };
    expect(await refusal(server.exec.attach({ execId, start: at(-1n) }))).toMatchObject(negative);
    expect(await refusal(server.exec.readOutput({ execId, start: at(-1n) }))).toMatchObject(negative);
  });

  test("a negative tail, live or screen that is false, an unknown stream, a negative size, a negative wait", async () => {
    const attach = (start: ReturnType<typeof attachStart>) => refusal(server.exec.attach({ execId, start }));
    const read = (more: object) => refusal(server.exec.readOutput({ execId, ...more }));
    const wanted = (subject: string) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", subject });
    expect(await attach({ case: "tailBytes", value: -1n })).toMatchObject(wanted("tail_bytes"));
    expect(await attach({ case: "live", value: false })).toMatchObject(wanted("live"));
    expect(await attach({ case: "screen", value: false })).toMatchObject(wanted("screen"));
    expect(await read({ start: { case: "tailBytes", value: -1n } })).toMatchObject(wanted("tail_bytes"));
    expect(await read({ stream: 9 })).toMatchObject(wanted("stream"));
    expect(await read({ maxBytes: -1 })).toMatchObject(wanted("max_bytes"));
    expect(await read({ wait: { seconds: -1n } })).toMatchObject(wanted("wait"));
    const wait = { seconds: -1n };
    expect(await refusal(server.exec.getExec({ execId, wait }))).toMatchObject(wanted("wait"));
  });

  test.for([
    ["of neither a literal nor a regex", {}, "MISSING_FIELD", "line_filter"],
    ["of an empty literal", { expression: { case: "literal", value: "" } }, "MISSING_FIELD", "line_filter.literal"],
    ["of an empty regex", { expression: { case: "regex", value: "" } }, "MISSING_FIELD", "line_filter.regex"],
    ["of a broken regex", { expression: { case: "regex", value: "a(b" } }, "INVALID_FIELD", "line_filter.regex"],
    ["of a look-around", { expression: { case: "regex", value: "(?=a)b" } }, "INVALID_FIELD", "line_filter.regex"],
    ["of a back-reference", { expression: { case: "regex", value: "(a)\\1" } }, "INVALID_FIELD", "line_filter.regex"],
    [
      "of a long regex",
      { expression: { case: "regex", value: "a".repeat(1001) } },
      "INVALID_FIELD",
      "line_filter.regex",
    ],
    [
      "of a regex that repeats too much",
      { expression: { case: "regex", value: "((a{100}){100}){100}" } },
      "INVALID_FIELD",
      "line_filter.regex",
    ],
    [
      "of too many lines",
      { expression: { case: "literal", value: "a" }, maxLines: 10_001 },
      "INVALID_FIELD",
      "line_filter.max_lines",
    ],
    [
      "of a negative number of lines",
      { expression: { case: "literal", value: "a" }, maxLines: -1 },
      "INVALID_FIELD",
      "line_filter.max_lines",
    ],
  ] as const)("a line filter %s", async ([, lineFilter, reason, subject]) => {
    const request = create(ReadOutputRequestSchema, { execId, lineFilter });
    expect(await refusal(server.exec.readOutput(request))).toMatchObject({ code: "INVALID_ARGUMENT", reason, subject });
  });

  test("what is meant for another server, in every call that acts or attaches", async () => {
    const expectedInstanceId = "another";
    const { instanceId } = await server.exec.getExec({ execId });
    const calls = [
      server.exec.attach({ execId, expectedInstanceId }),
      server.exec.writeStdin({ execId, offset: 5n, data: Buffer.from("x"), expectedInstanceId }),
      server.exec.sendSignal({ execId, signal: "KILL", expectedInstanceId }),
      server.exec.resizeTerminal({ execId: terminal, columns: 10, rows: 10, expectedInstanceId }),
      server.exec.startExec({ exec: { execId, program: shell("true"), expectedInstanceId } }),
    ];
    for (const refused of await refusals(calls)) {
      expect(refused).toMatchObject({
        code: "FAILED_PRECONDITION",
        reason: "INSTANCE_CHANGED",
        detail: { instanceId, workspaceId: server.served.workspaceId },
      });
    }
    const { exec } = await server.exec.getExec({ execId });
    expect(exec).toMatchObject({ stdinOffset: 5n, state: ExecState.RUNNING });
  });

  test("what is meant for another workspace, by the metadata of any call", async () => {
    const { exec, workspace } = server.stubs({ "yonder-workspace-id": "another" });
    for (const refused of await refusals([
      exec.sendSignal({ execId, signal: "KILL" }),
      workspace.getInfo({}),
      exec.listExecs({}),
    ])) {
      expect(refused).toMatchObject({
        code: "FAILED_PRECONDITION",
        reason: "INSTANCE_CHANGED",
        detail: { workspaceId: server.served.workspaceId },
      });
    }
    const same = server.stubs({ "yonder-workspace-id": server.served.workspaceId });
    expect((await same.exec.getExec({ execId })).exec?.ended).toBeUndefined();
  });
});

describe("on an ended command is refused:", () => {
  test("input, a size, a signal", async () => {
    const { execId } = await server.spawn("true", { terminal: {} });
    await server.ended(execId);
    const wanted = { code: "FAILED_PRECONDITION", reason: "EXEC_ENDED", subject: execId };
    const calls = [
      server.exec.writeStdin({ execId, data: Buffer.from("x") }),
      server.exec.resizeTerminal({ execId, columns: 80, rows: 24 }),
      server.exec.sendSignal({ execId, signal: "TERM" }),
    ];
    for (const refused of await refusals(calls)) expect(refused).toMatchObject(wanted);
  });

  test("input for a command that never took any, or closed it", async () => {
    const { execId } = await server.spawn("exec 0<&-; echo closed; sleep 1000", { stdin: {} });
    const { execId: without } = await server.spawn("sleep 1000");
    await server.printed(execId, "closed\n");
    const closed = { code: "FAILED_PRECONDITION", reason: "STDIN_CLOSED" };
    expect(await refusal(server.exec.writeStdin({ execId: without, data: Buffer.from("x") }))).toMatchObject({
      ...closed,
      subject: without,
    });
    await server.exec.writeStdin({ execId, eof: true });
    expect(await refusal(server.exec.writeStdin({ execId, data: Buffer.from("x") }))).toMatchObject({
      ...closed,
      subject: execId,
    });
    for (const id of [execId, without]) await server.exec.sendSignal({ execId: id, signal: "KILL" });
  });
});

describe("a list is refused", () => {
  test.for<[string, object, string]>([
    ["of a negative size", { pageSize: -1 }, "page_size"],
    ["from a token that another server's list might have given", { pageToken: "bm90IG91cnM" }, "page_token"],
    ["from a token that is no token", { pageToken: "%%%" }, "page_token"],
    ["of an unknown state", { state: 42 }, "state"],
  ])("%s", async ([, request, subject]) => {
    const refused = await refusal(server.exec.listExecs(request));
    expect(refused).toMatchObject({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", subject });
  });
});

describe.skipIf(nobody === undefined)("as another user is refused", () => {
  const asNobody = execServer(nobody === undefined ? {} : { uid: nobody });

  test("a directory that this user may not enter, by a server that may, and by one that may not", async () => {
    const closed = join(server.directory, "closed");
    await mkdir(closed, { mode: 0o700 });
    const request = { program: shell("pwd"), workingDirectory: closed };
    const refused: Refusal[] = [
      await refusal(server.exec.startExec({ exec: { ...request, user: String(nobody) } })),
      await refusal(asNobody.exec.startExec({ exec: { ...request, workingDirectory: join(closed, "below") } })),
    ];
    for (const { code, reason, subject, message } of refused) {
      expect({ code, reason }).toEqual({ code: "PERMISSION_DENIED", reason: "ACCESS_DENIED" });
      expect(subject).toContain(closed);
      expect(message).toContain(closed);
    }
    await rm(closed, { recursive: true });
  });

  test("a program that this user may not run", async () => {
    const program = join(server.directory, "only-mine");
    await chmod(server.directory, 0o755);
    await writeFile(program, "#!/bin/sh\necho ran\n", { mode: 0o700 });
    await chmod(program, 0o700);
    expect((await server.run({ program: argv(program) })).stdout).toBe("ran\n");
    const refused = await refusal(
      server.exec.startExec({ exec: { program: argv(program), user: String(nobody), workingDirectory: "/" } }),
    );
    expect(refused).toMatchObject({ subject: program });
    expect(["ACCESS_DENIED", "PROGRAM_NOT_EXECUTABLE"]).toContain(refused.reason);
  });

  test("every other user, by a server that may not switch; and its own is none", async () => {
    const start = (user: string) =>
      asNobody.exec.startExec({ exec: { execId: asNobody.newId(), program: shell("id -u"), user } });
    for (const user of ["root", "0", "0:0"]) {
      const refused = await refusal(start(user));
      expect(refused).toMatchObject({ code: "UNIMPLEMENTED", reason: "USER_UNSUPPORTED", subject: user });
      expect(refused.detail?.remedy).not.toBe("");
    }
    const { exec } = await start(String(nobody));
    expect(await asNobody.printed(exec?.execId ?? "", "\n")).toBe(`${nobody}\n`);
  });
});

test.skipIf(nobody === undefined)("a user is who the command runs as, by number and with another group", async () => {
  const request = { program: shell("id -u; id -g"), workingDirectory: "/" };
  expect((await server.run({ ...request, user: `${nobody}` })).stdout).toMatch(new RegExp(`^${nobody}\\n\\d+\\n$`));
  const { stdout, started } = await server.run({ ...request, user: `${nobody}:1` });
  expect(stdout).toBe(`${nobody}\n1\n`);
  expect((await server.ended(started?.execId ?? "")).user).toBe(`${nobody}:1`);
});

test("environment: what is set, what is unset, and what is clean", async () => {
  const { stdout } = await server.run("echo $A-$HOME-$YONDER_EXEC_MARK", {
    environment: { variables: { A: "ä b\nc" }, unset: ["HOME", "NOT_THERE_AT_ALL", "YONDER_EXEC_MARK"] },
  });
  expect(stdout).toMatch(/^ä b c--[0-9a-f-]{36}\/\d+\n$/);
  const clean = await server.run({ program: argv("env") }, { environment: { clean: true, variables: { B: "c" } } });
  const names = clean.stdout.split("\n").map((line) => line.split("=")[0] ?? "");
  expect(names.toSorted()).toEqual(["", "B", "PATH", "PWD", "YONDER_EXEC_MARK"]);
});

test("input that came already is passed over, also when it comes in overlapping pieces", async () => {
  const { execId } = await server.spawn("cat", { stdin: { data: Buffer.from("abc") } });
  const write = async (offset: bigint, text: string, eof = false) =>
    (await server.exec.writeStdin({ execId, offset, data: Buffer.from(text), eof })).offset;
  expect(await write(0n, "abc")).toBe(3n);
  expect(await write(1n, "bcdef")).toBe(6n);
  expect(await write(3n, "def")).toBe(6n);
  expect(await write(6n, "", false)).toBe(6n);
  expect(await write(6n, "g", true)).toBe(7n);
  expect((await server.ended(execId)).ended.exitCode).toBe(0);
  const { output } = await server.exec.readOutput({ execId });
  expect(textOf(output)).toBe("abcdefg");
});

function attachStart() {
  return create(AttachRequestSchema).start;
}
