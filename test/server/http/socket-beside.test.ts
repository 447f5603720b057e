import { existsSync, statSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { WorkspaceService } from "@yonder/proto";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../helpers/certificates.ts";
import { openTestEdge } from "../../helpers/edge.ts";

async function socketPath(): Promise<string> {
  return join(await temporaryDirectory(), "yonder.sock");
}

/** Each way to the server: by its address and by its socket, over both HTTP versions. */
function ways(url: string, socket: string) {
  const baseUrl = "http://localhost";
  return {
    "address, HTTP/2": createGrpcTransport({ baseUrl: url }),
    "address, HTTP/1.1": createConnectTransport({ baseUrl: url, httpVersion: "1.1" }),
    "socket, HTTP/2": createGrpcTransport({ baseUrl, nodeOptions: { createConnection: () => connect(socket) } }),
    "socket, HTTP/1.1": createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions: { socketPath: socket } }),
  };
}

test("a server listens at its address and at a socket, and both are gone after the stop", async () => {
  const socket = await socketPath();
  const { edge, url, port, workspaceId } = await openTestEdge({ settings: { socket } });
  expect(url).toBe(`http://127.0.0.1:${port}`);
  expect(edge.socketBeside).toBe(socket);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  for (const [way, transport] of Object.entries(ways(url, socket))) {
    const info = await createClient(WorkspaceService, transport).getInfo({});
    expect([way, info.workspaceId]).toEqual([way, workspaceId]);
  }
  await edge.close();
  expect(existsSync(socket)).toBe(false);
  const refused = new Promise((resolve) => connect(port, "127.0.0.1").once("error", resolve));
  expect(await refused).toMatchObject({ code: "ECONNREFUSED" });
});

test("both ways need the key", async () => {
  const socket = await socketPath();
  const { url } = await openTestEdge({ settings: { socket }, apiKeys: ["k".repeat(43)] });
  for (const [way, transport] of Object.entries(ways(url, socket))) {
    const error = await createClient(WorkspaceService, transport)
      .getInfo({})
      .catch((reason: unknown) => String(reason));
    expect([way, error]).toEqual([way, expect.stringContaining("unauthenticated")]);
  }
});

test("an address that others reach is refused without a key, whatever socket is beside it", async () => {
  const socket = await socketPath();
  const opening = openTestEdge({ settings: { socket, host: "0.0.0.0" } });
  await expect(opening).rejects.toThrow("Refusing to listen on 0.0.0.0 without a key");
  expect(existsSync(socket)).toBe(false);
});

test("the stop ends a connection that came by the socket", async () => {
  const socket = await socketPath();
  const { edge } = await openTestEdge({ settings: { socket } });
  const session = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  const closed = new Promise((resolve) => session.once("close", resolve));
  const silent = connect(socket);
  await new Promise((resolve) => silent.once("connect", resolve));
  const ended = new Promise((resolve) => silent.once("close", resolve).resume());
  await edge.close();
  await Promise.all([closed, ended]);
});

test("where the socket cannot be had, the log says so and the address is served", async () => {
  const { edge, url, log, workspaceId } = await openTestEdge({ settings: { socket: "/nonexistent/yonder.sock" } });
  expect(edge.socketBeside).toBeUndefined();
  const info = await createClient(WorkspaceService, createGrpcTransport({ baseUrl: url })).getInfo({});
  expect(info.workspaceId).toBe(workspaceId);
  expect(log.map(({ msg }) => msg)).toContain(
    "The server cannot listen on /nonexistent/yonder.sock: its directory must be there, and this user's to write; " +
      "it is served at its address alone",
  );
});

test("a server whose address is taken leaves no socket", async () => {
  const { port } = await openTestEdge();
  const socket = await socketPath();
  await expect(openTestEdge({ settings: { port, socket } })).rejects.toThrow(`listens on 127.0.0.1:${port} already`);
  expect(existsSync(socket)).toBe(false);
});
