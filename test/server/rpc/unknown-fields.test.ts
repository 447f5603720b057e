import { request } from "node:http";
import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError, createClient } from "@connectrpc/connect";
import {
  ErrorDetailSchema,
  ErrorReason,
  ExecRequestSchema,
  ExecService,
  GetExecRequestSchema,
  StartExecRequestSchema,
} from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { openTestEdge, transports } from "../../helpers/edge.ts";

/** Field 1999 with the value 1, which no message here has. */
const unknown = { no: 1999, wireType: 0, data: new Uint8Array([1]) };

function services() {
  const ran: string[] = [];
  return {
    ran,
    exec: {
      async *exec() {
        ran.push("exec");
        yield {};
      },
      startExec: () => (ran.push("startExec"), {}),
      getExec: () => (ran.push("getExec"), {}),
    },
  };
}

async function refusalOf(call: Promise<unknown>) {
  const error = ConnectError.from(await call.catch((caught: unknown) => caught));
  return { code: error.code, detail: error.findDetails(ErrorDetailSchema)[0] };
}

describe.each([...Object.entries(transports), ["in memory", undefined] as const])("%s", (_name, createTransport) => {
  async function open() {
    const { exec, ran } = services();
    const edge = await openTestEdge({ exec });
    return { client: createClient(ExecService, createTransport?.(edge.url) ?? edge.app.createTransport()), ran };
  }

  test("an acting request with an unknown field is refused by number and runs nothing", async () => {
    const { client, ran } = await open();
    const exec = create(ExecRequestSchema, { program: { case: "command", value: "true" } });
    exec.$unknown = [unknown];
    const read = async (): Promise<void> => {
      for await (const _ of client.exec(exec));
    };
    const { code, detail } = await refusalOf(read());
    expect(code).toBe(3);
    expect(detail).toMatchObject({
      reason: ErrorReason.UNKNOWN_FIELD,
      subject: "yonder.workspace.v1.ExecRequest:1999",
    });
    expect(ran).toEqual([]);
  });

  test("an unknown field is found in a message within a message", async () => {
    const { client, ran } = await open();
    const start = create(StartExecRequestSchema, { exec: { terminal: { columns: 80 }, labels: { a: "b" } } });
    const terminal = start.exec?.terminal;
    if (terminal !== undefined) terminal.$unknown = [unknown];
    expect((await refusalOf(client.startExec(start))).detail).toMatchObject({
      reason: ErrorReason.UNKNOWN_FIELD,
      subject: "yonder.workspace.v1.Terminal:1999",
    });
    expect(ran).toEqual([]);
  });

  test("an unknown field is found in a message that is one of several", async () => {
    const { client, ran } = await open();
    const start = create(StartExecRequestSchema, { exec: { program: { case: "args", value: { values: ["true"] } } } });
    const program = start.exec?.program;
    if (program?.case === "args") program.value.$unknown = [unknown];
    expect((await refusalOf(client.startExec(start))).detail?.subject).toBe("yonder.workspace.v1.ArgumentList:1999");
    expect(ran).toEqual([]);
  });

  test("a reading request may have unknown fields", async () => {
    const { client, ran } = await open();
    const get = create(GetExecRequestSchema, { execId: "x" });
    get.$unknown = [unknown];
    await client.getExec(get);
    expect(ran).toEqual(["getExec"]);
  });
});

async function postJson(port: number, method: string, body: string, type = "application/json", enveloped = false) {
  const bytes = Buffer.from(body);
  const length = Buffer.alloc(5);
  length.writeUInt32BE(bytes.length, 1);
  return await new Promise<{ status: number | undefined; text: string }>((resolve) => {
    const path = `/yonder.workspace.v1.ExecService/${method}`;
    const call = request({ port, method: "POST", path, headers: { "content-type": type } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, text }));
    });
    call.end(enveloped ? Buffer.concat([length, bytes]) : bytes);
  });
}

describe("in JSON", () => {
  test.each([
    [{ exec: { commandd: "true" } }, "exec.commandd"],
    [{ exec: { command: "true", terminal: { colour: true } } }, "exec.terminal.colour"],
    [{ exex: {} }, "exex"],
  ])("%j is refused by name and runs nothing", async (body, subject) => {
    const { exec, ran } = services();
    const { port } = await openTestEdge({ exec });
    const { status, text } = await postJson(port, "StartExec", JSON.stringify(body));
    expect(status).toBe(400);
    const error = JSON.parse(text) as { code: string; message: string; details: [{ debug?: unknown; value: string }] };
    expect(error.code).toBe("invalid_argument");
    expect(error.message).toContain(subject);
    const detail = Buffer.from(error.details[0].value, "base64");
    expect(detail).toEqual(Buffer.from(toBinary(ErrorDetailSchema, expectedDetail(subject))));
    expect(ran).toEqual([]);
  });

  test.each([
    [{ exec: { command: "true", workingDirectory: "/", timeout: "1.5s", labels: { any: "thing" } } }],
    [{ exec: { command: "true", working_directory: "/", environment: { variables: { A: "b" }, clean: true } } }],
    [{ exec: { args: { values: ["a", "b"] }, stdin: { data: "aGk=", eof: true } } }],
    [{}],
  ])("%j is taken", async (body) => {
    const { exec, ran } = services();
    const { port } = await openTestEdge({ exec });
    expect(await postJson(port, "StartExec", JSON.stringify(body))).toMatchObject({ status: 200 });
    expect(ran).toEqual(["startExec"]);
  });

  test("a stream's request is refused, too", async () => {
    const { exec, ran } = services();
    const { port } = await openTestEdge({ exec });
    const { text } = await postJson(port, "Exec", '{"commandd":"true"}', "application/connect+json", true);
    expect(text).toContain('"invalid_argument"');
    expect(text).toContain("commandd");
    expect(ran).toEqual([]);
  });

  test("a reading request may have unknown keys", async () => {
    const { exec, ran } = services();
    const { port } = await openTestEdge({ exec });
    expect(await postJson(port, "GetExec", '{"execId":"x","nonsense":1}')).toMatchObject({ status: 200 });
    expect(ran).toEqual(["getExec"]);
  });

  test("what is no JSON is refused as such", async () => {
    const { exec } = services();
    const { port } = await openTestEdge({ exec });
    for (const body of ["{", "[]", "null", '"x"', ""]) {
      expect(await postJson(port, "StartExec", body)).toMatchObject({ status: 400 });
    }
  });
});

function expectedDetail(subject: string) {
  return create(ErrorDetailSchema, {
    reason: ErrorReason.UNKNOWN_FIELD,
    subject,
    remedy: "Leave it out, or ask a server that has it; GetInfo tells a server's version.",
  });
}
