import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExecDisposition } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { argv, execServer, refusal, shell, told } from "../helpers/exec-server.ts";
import type { Request } from "../helpers/exec-server.ts";

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
