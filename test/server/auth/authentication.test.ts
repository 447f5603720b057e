import { ConnectError, createClient } from "@connectrpc/connect";
import type { Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ErrorDetailSchema, ErrorReason, ExecService, FileService, WorkspaceService } from "@yonder/proto";
import { Health } from "@yonder/proto/grpc/health/v1/health";
import { ServerReflection } from "@yonder/proto/grpc/reflection/v1/reflection";
import { describe, expect, test } from "vitest";
import { keyDigestLine } from "../../../server/src/auth/api-keys.ts";
import { collect } from "../../helpers/collect.ts";
import { openTestEdge, transports } from "../../helpers/edge.ts";
import { openRaw } from "../../helpers/raw.ts";

const key = "correct-horse-battery";
const second = "staple-correct-horse";
const apiKeys = [keyDigestLine(key), second];

function withHeaders(headers: Record<string, string>): Interceptor {
  return (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
}

async function reasonOf(call: Promise<unknown>): Promise<unknown> {
  const error = ConnectError.from(await call.catch((caught: unknown) => caught));
  expect(error.code).toBe(16);
  return error.findDetails(ErrorDetailSchema)[0]?.reason;
}

describe.each(Object.entries(transports))("%s", (_name, createTransport) => {
  test.each([
    ["Authorization: Bearer", { authorization: `Bearer ${key}` }],
    ["authorization: bearer, in small letters", { authorization: `bearer ${second}` }],
    ["X-API-Key", { "x-api-key": key }],
    ["X-API-Key beside somebody else's Authorization", { authorization: "Basic abc", "x-api-key": second }],
    ["X-API-Key beside a stale bearer", { authorization: "Bearer something-else-entirely", "x-api-key": key }],
  ])("%s lets in", async (_what, headers) => {
    const { url } = await openTestEdge({ apiKeys });
    await createClient(WorkspaceService, createTransport(url, { interceptors: [withHeaders(headers)] })).getInfo({});
  });

  test("no key is CREDENTIALS_MISSING, a wrong one CREDENTIALS_INVALID", async () => {
    const { url } = await openTestEdge({ apiKeys });
    const call = async (headers: Record<string, string>): Promise<unknown> =>
      await createClient(WorkspaceService, createTransport(url, { interceptors: [withHeaders(headers)] })).getInfo({});
    expect(await reasonOf(call({}))).toBe(ErrorReason.CREDENTIALS_MISSING);
    expect(await reasonOf(call({ authorization: "Basic abc" }))).toBe(ErrorReason.CREDENTIALS_MISSING);
    expect(await reasonOf(call({ "x-api-key": "something-else-entirely" }))).toBe(ErrorReason.CREDENTIALS_INVALID);
    expect(await reasonOf(call({ "x-api-key": keyDigestLine(key) }))).toBe(ErrorReason.CREDENTIALS_INVALID);
  });

  test("a streaming call without a key is refused", async () => {
    let ran = false;
    async function* exec() {
      ran = true;
      yield {};
    }
    const { url } = await openTestEdge({ apiKeys, exec: { exec } });
    const call = collect(createClient(ExecService, createTransport(url)).exec({}));
    expect(await reasonOf(call)).toBe(ErrorReason.CREDENTIALS_MISSING);
    expect(ran).toBe(false);
  });

  test("health is open to all", async () => {
    const { url } = await openTestEdge({ apiKeys });
    expect((await createClient(Health, createTransport(url)).check({})).status).toBe(1);
  });
});

test("reflection is closed", async () => {
  const { url } = await openTestEdge({ apiKeys });
  const client = createClient(ServerReflection, transports["grpc over HTTP/2"](url));
  async function* requests() {
    yield { messageRequest: { case: "listServices", value: "" } } as const;
  }
  expect(await reasonOf(collect(client.serverReflectionInfo(requests())))).toBe(ErrorReason.CREDENTIALS_MISSING);
});

test.each(["1.1", "2"] as const)(
  "an endless upload over HTTP/%s without a key is refused unread",
  async (httpVersion) => {
    let read = 0;
    const upload = async (requests: AsyncIterable<unknown>) => {
      for await (const _ of requests) read += 1;
      return {};
    };
    const { url } = await openTestEdge({ apiKeys, files: { upload } });
    const client = createClient(FileService, createConnectTransport({ baseUrl: url, httpVersion }));
    async function* chunks() {
      for (;;) yield { part: { case: "chunk", value: { data: new Uint8Array(65_536) } } } as const;
    }
    await expect(client.upload(chunks())).rejects.toBeInstanceOf(ConnectError);
    expect(read).toBe(0);
  },
);

test("a refusal over Connect says how to do better in HTTP's own way", async () => {
  const { port } = await openTestEdge({ apiKeys });
  const { socket, received } = await openRaw(port);
  socket.write(
    "POST /yonder.workspace.v1.WorkspaceService/GetInfo HTTP/1.1\r\nHost: localhost\r\n" +
      "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
  );
  expect(await received(/CREDENTIALS_MISSING/)).toMatch(/^HTTP\/1\.1 401[^]*www-authenticate: Bearer/i);
});

test("without keys everybody is let in", async () => {
  const { url } = await openTestEdge();
  await createClient(WorkspaceService, transports["grpc over HTTP/2"](url)).getInfo({});
});
