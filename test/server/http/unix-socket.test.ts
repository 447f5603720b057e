import { spawn } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { WorkspaceService } from "@yonder/proto";
import { expect, test } from "vitest";
import { ConfigError } from "../../../server/src/index.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";
import { openTestEdge } from "../../helpers/edge.ts";

async function socketPath(): Promise<string> {
  return join(await temporaryDirectory(), "yonder.sock");
}

test("a UNIX socket serves both HTTP versions, to its own user only, and is gone after the stop", async () => {
  const socket = await socketPath();
  const { edge, url, workspaceId } = await openTestEdge({ settings: { port: undefined, socket } });
  expect(url).toBe(`unix:${socket}`);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  const http1 = createConnectTransport({
    baseUrl: "http://localhost",
    httpVersion: "1.1",
    nodeOptions: { socketPath: socket },
  });
  const http2 = createGrpcTransport({
    baseUrl: "http://localhost",
    nodeOptions: { createConnection: () => connect(socket) },
  });
  for (const transport of [http1, http2]) {
    expect((await createClient(WorkspaceService, transport).getInfo({})).workspaceId).toBe(workspaceId);
  }
  await edge.close();
  expect(existsSync(socket)).toBe(false);
});

test("a socket in a directory that is not there is refused with what it takes", async () => {
  const opening = openTestEdge({ settings: { port: undefined, socket: "/nonexistent/yonder.sock" } });
  await expect(opening).rejects.toThrow(
    new ConfigError(
      "The server cannot listen on /nonexistent/yonder.sock: its directory must be there, and this user's to write",
    ),
  );
});

test("a caller may name the socket's path as the host, as gRPC's C core does", async () => {
  const socket = await socketPath();
  const { workspaceId } = await openTestEdge({ settings: { port: undefined, socket } });
  const session = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
  const call = session.request({
    ":method": "POST",
    ":path": "/yonder.workspace.v1.WorkspaceService/GetInfo",
    ":authority": encodeURIComponent(socket),
    "content-type": "application/json",
  });
  call.end("{}");
  expect(JSON.parse(await text(call))).toMatchObject({ workspaceId });
  session.close();
});

test("a socket that a killed server left behind is replaced", async () => {
  const socket = await socketPath();
  const listen = `require("node:net").createServer().listen(${JSON.stringify(socket)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
  expect(existsSync(socket)).toBe(true);
  await openTestEdge({ settings: { port: undefined, socket } });
});

test("a socket that a server listens on is left alone", async () => {
  const socket = await socketPath();
  const settings = { port: undefined, socket };
  const { app } = await openTestEdge({ settings });
  await expect(openTestEdge({ settings })).rejects.toThrow(`Another server listens on ${socket}`);
  expect(app.health.serving).toBe(true);
  expect(existsSync(socket)).toBe(true);
});

test("a file in the socket's place is left alone", async () => {
  const socket = await socketPath();
  writeFileSync(socket, "precious");
  await expect(openTestEdge({ settings: { port: undefined, socket } })).rejects.toThrow("is no socket");
  expect(existsSync(socket)).toBe(true);
});

test("a path that is too long for a socket is refused with both lengths", async () => {
  const socket = join(await temporaryDirectory(), "s".repeat(100));
  await expect(openTestEdge({ settings: { port: undefined, socket } })).rejects.toThrow(
    /has \d+ bytes; the system takes 10[37]/,
  );
});
