import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { ConfigError, createApp, openWorkspace, startServer, version } from "@yonder/server";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../helpers/certificates.ts";
import { collect } from "../helpers/collect.ts";

const key = "a-key-of-this-test";

test("a server that is embedded says where it listens and who it is, and is gone once it is closed", async () => {
  const workingDirectory = await temporaryDirectory();
  const server = await startServer({ port: 0, workingDirectory, apiKeys: [key], healthPort: 0, labels: { a: "b" } });
  onTestFinished(() => server.close());
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  expect(server.healthPort).toBeGreaterThan(0);
  const transport = createGrpcTransport({ baseUrl: server.url });
  const info = await createClient(WorkspaceService, transport).getInfo({}, { headers: { "x-api-key": key } });
  const { workspaceId, instanceId } = server;
  expect(info).toMatchObject({ workspaceId, instanceId, workingDirectory, version, labels: { a: "b" } });
  await Promise.all([server.close(), server.close({ graceMs: 1 })]);
  await expect(createClient(WorkspaceService, transport).getInfo({})).rejects.toMatchObject({ code: 14 });
});

test("limits given to a server are in force", async () => {
  const server = await startServer({ port: 0, maxRunningExecs: 1 });
  onTestFinished(() => server.close());
  const exec = createClient(ExecService, createGrpcTransport({ baseUrl: server.url }));
  const sleep = { exec: { program: { case: "command", value: "sleep 300" } } } as const;
  await exec.startExec(sleep);
  await expect(exec.startExec(sleep)).rejects.toMatchObject({ code: 8 });
});

test("a server that cannot open its state says so and leaves its port free", async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, "file");
  await writeFile(file, "");
  const first = await startServer({ port: 0 });
  const { port } = first;
  await first.close();
  await expect(startServer({ port, stateDirectory: join(file, "state") })).rejects.toThrow(ConfigError);
  await (await startServer({ port, stateDirectory: join(directory, "state") })).close();
});

test("a second server at an address does not touch the state of the first", async () => {
  const stateDirectory = join(await temporaryDirectory(), "state");
  await mkdir(stateDirectory, { mode: 0o700 });
  const first = await startServer({ port: 0 });
  onTestFinished(() => first.close());
  await expect(startServer({ port: first.port, stateDirectory })).rejects.toThrow(
    /listens on 127\.0\.0\.1:\d+ already/,
  );
  expect(existsSync(join(stateDirectory, "workspace-id"))).toBe(false);
});

test("a server without a key on loopback starts, and says what that means", async () => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const server = await startServer({ port: 0, logger });
  onTestFinished(() => server.close());
  expect(server.notices).toContainEqual(expect.stringMatching(/no API key: every user of this machine/));
  expect(lines.join("")).toMatch(/no API key/);
});

test("a workspace in memory is the same as one over a wire", async () => {
  const workspace = await openWorkspace();
  const { identity, activity, routes, limits } = workspace;
  const app = createApp({
    identity,
    activity,
    routes,
    maxMessageBytes: limits.maxMessageBytes,
  });
  onTestFinished(async () => {
    await workspace.stop({ leaveRunning: false });
    await workspace.close();
  });
  const exec = createClient(ExecService, app.createTransport());
  const events = await collect(exec.exec({ program: { case: "command", value: "echo hi" } }));
  expect(events.map(({ event }) => event?.event.case)).toEqual(["started", "output", "ended"]);
});

test("a socket may stand in the place of an address", async () => {
  const socket = join(await temporaryDirectory(), "yonder.sock");
  const server = await startServer({ socket });
  onTestFinished(() => server.close());
  expect(server).toMatchObject({ url: `unix:${socket}`, port: undefined, address: socket });
  const transport = createConnectTransport({
    baseUrl: "http://localhost",
    httpVersion: "1.1",
    nodeOptions: { socketPath: socket },
  });
  await createClient(WorkspaceService, transport).getInfo({});
});
