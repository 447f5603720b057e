import { expect, onTestFinished, test } from "vitest";
import {
  createWorkspace,
  InstanceChanged,
  InvalidRequest,
  InvalidState,
  RemoteWorkspace,
  Unsupported,
  workspaceFromJSON,
} from "../../client/src/index.ts";
import type { RemoteDescription, Workspace } from "../../client/src/index.ts";
import { startServer } from "../../server/src/index.ts";
import type { RunningServer, ServerOptions } from "../../server/src/index.ts";
import { temporaryDirectory } from "../helpers/certificates.ts";
import { connect } from "../helpers/workspaces.ts";

const apiKey = "a-key-for-tests-that-is-long-enough";

test("without a host it is here, with one it is there", async () => {
  const workingDir = await temporaryDirectory();
  const local = await closing(createWorkspace({ workingDir }));
  expect(local.kind).toBe("local");
  expect((await local.executeCommand("pwd")).stdout.trim()).toBe(local.workingDir);

  const server = await serve({ workingDirectory: workingDir });
  const remote = await closing(createWorkspace({ host: server.url, apiKey, workingDir: "/" }));
  expect(remote).toBeInstanceOf(RemoteWorkspace);
  expect((await remote.executeCommand("pwd")).stdout).toBe("/\n");
});

test("a workspace goes to JSON and back, the key given again", async () => {
  const server = await serve();
  const workspace = await connect({ host: `${server.url}/`, apiKey, workingDir: "/tmp", httpVersion: "1.1" });
  const description = JSON.parse(JSON.stringify(workspace)) as RemoteDescription;
  expect(description).toEqual({
    kind: "remote",
    host: server.url,
    workingDir: "/tmp",
    workspaceId: server.workspaceId,
    httpVersion: "1.1",
  });
  const again = await closing(workspaceFromJSON(description, { apiKey }));
  expect((await again.executeCommand("pwd")).stdout).toBe("/tmp\n");

  const directory = await temporaryDirectory();
  const local = await closing(createWorkspace({ workingDir: directory }));
  expect(JSON.parse(JSON.stringify(local))).toEqual({ kind: "local", workingDir: directory });
});

test("a description whose address has another workspace now is refused", async () => {
  const [one, other] = [await serve(), await serve()];
  const description = (await connect({ host: one.url, apiKey })).toJSON();
  const error = await workspaceFromJSON({ ...description, host: other.url }, { apiKey }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InstanceChanged);
  expect(error).toMatchObject({ workspaceId: other.workspaceId });
  await expect(workspaceFromJSON({ kind: "else" } as never)).rejects.toBeInstanceOf(InvalidRequest);
});

test("a local workspace has nothing to pause, a remote one cannot and says so", async () => {
  const local = await closing(createWorkspace({ workingDir: await temporaryDirectory() }));
  await local.pause();
  await local.resume();
  const remote = await connect({ host: (await serve()).url, apiKey });
  for (const verb of ["pause", "resume"] as const) {
    const error = await remote[verb]().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Unsupported);
    expect(error).toMatchObject({ feature: verb, message: expect.stringContaining(`${verb}()`) });
  }
});

test("closing a remote workspace ends its streams and nothing else", async () => {
  const server = await serve();
  const workspace = await connect({ host: server.url, apiKey });
  const handle = await workspace.spawn("echo hi; read line; exit 4");
  const reading = (async () => {
    for await (const event of handle.events()) if (event.type === "output") await workspace.close();
  })();
  const closed = { reason: "WORKSPACE_CLOSED" };
  await expect(reading).rejects.toMatchObject(closed);
  await expect(handle.wait()).rejects.toMatchObject(closed);
  await expect(workspace.executeCommand("true")).rejects.toBeInstanceOf(InvalidState);
  expect(await workspace.alive()).toBe(false);
  await workspace.close();

  const other = await connect({ host: server.url, apiKey });
  const again = await other.attach(handle.execId);
  await again.stdin.end();
  expect(await again.wait()).toMatchObject({ exitCode: 4 });
});

test("closing a local workspace ends what runs in it", async () => {
  const workspace = await createWorkspace({ workingDir: await temporaryDirectory() });
  const { pid } = await workspace.spawn(["sleep", "300"]);
  expect(() => process.kill(pid, 0)).not.toThrow();
  await workspace.close();
  expect(() => process.kill(pid, 0)).toThrow();
});

test("nobody is alive where nobody listens, and that is no error", async () => {
  const server = await serve();
  const workspace = await connect({ host: server.url, apiKey });
  expect(await workspace.alive()).toBe(true);
  await server.close({ graceMs: 0 });
  expect(await workspace.alive()).toBe(false);
});

test("defaults hold where a call says nothing", async () => {
  const defaults = { timeoutMs: 1_000, env: { GREETING: "hi" }, maxOutputBytes: 4 };
  const workspace = await connect({ host: (await serve()).url, apiKey, defaults });
  expect(await workspace.executeCommand("echo $GREETING you; sleep 30")).toMatchObject({
    timeoutOccurred: true,
    stdout: "hiu\n",
    truncated: { stdout: 3, stderr: 0 },
  });
  expect((await workspace.executeCommand("sleep 1.2; echo $GREETING", { timeoutMs: 0 })).stdout).toBe("hi\n");
});

async function serve(options: ServerOptions = {}): Promise<RunningServer> {
  const server = await startServer({
    port: 0,
    apiKeys: [apiKey],
    workingDirectory: await temporaryDirectory(),
    ...options,
  });
  onTestFinished(() => server.close({ graceMs: 0 }));
  return server;
}

async function closing<T extends Workspace>(opening: Promise<T>): Promise<T> {
  const workspace = await opening;
  onTestFinished(() => workspace.close());
  return workspace;
}
