import { create } from "@bufbuild/protobuf";
import { AttachRequestSchema, ExecState, ReadOutputRequestSchema } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { execServer, refusal, refusals, shell } from "../helpers/exec-server.ts";

const server = execServer();

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

function attachStart() {
  return create(AttachRequestSchema).start;
}
