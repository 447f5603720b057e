import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace } from "../../client/src/local-workspace.ts";
import { RemoteWorkspace } from "../../client/src/index.ts";
import type { RemoteWorkspaceOptions } from "../../client/src/index.ts";
import { createApp, openWorkspace, startServer } from "../../server/src/index.ts";
import type { ServerOptions } from "../../server/src/index.ts";
import { makeAuthority, makeCertificate, writeCertificate } from "../helpers/certificates.ts";
import type { Body } from "./workspace-suite.ts";

const apiKey = "a-key-for-tests-that-is-long-enough";

/** The services in this process, through LocalWorkspace. */
export async function openLocal(): Promise<Body> {
  const stack = new Cleanup();
  const workingDir = await temporaryDirectory(stack);
  const workspace = stack.use(await LocalWorkspace.open({ workingDir }));
  return bodyOf(stack, workspace);
}

/** The services in this process, through RemoteWorkspace. */
export async function openInMemory(): Promise<Body> {
  const stack = new Cleanup();
  const opened = await openWorkspace({ workingDirectory: await temporaryDirectory(stack) });
  const app = createApp({ ...opened, maxMessageBytes: opened.limits.maxMessageBytes });
  stack.defer(async () => {
    await opened.stop({ leaveRunning: false });
    app.lifecycle.cutRunningCalls();
    await opened.close();
  });
  const transport = app.createTransport();
  const workspace = stack.use(await RemoteWorkspace.connect({ host: "http://in-memory", transport }));
  return bodyOf(stack, workspace);
}

/** A server on a real socket. */
export function overWire(options: Partial<RemoteWorkspaceOptions>, settings: ServerOptions = {}): () => Promise<Body> {
  return async () => {
    const stack = new Cleanup();
    const workingDirectory = await temporaryDirectory(stack);
    const where = settings.socket === undefined ? { port: 0 } : {};
    const server = await startServer({ ...where, workingDirectory, apiKeys: [apiKey], ...settings });
    stack.defer(() => server.close({ graceMs: 0 }));
    const workspace = stack.use(await RemoteWorkspace.connect({ host: server.url, apiKey, ...options }));
    return bodyOf(stack, workspace);
  };
}

/** The same with TLS, both sides showing a certificate. */
export async function openTls(options: Partial<RemoteWorkspaceOptions>): Promise<Body> {
  const stack = new Cleanup();
  const directory = await temporaryDirectory(stack);
  const authority = await makeAuthority();
  const files = await writeCertificate(directory, await makeCertificate(authority));
  const clientCa = join(directory, "ca.crt");
  await writeFile(clientCa, authority.cert);
  const client = await makeCertificate(authority, "client");
  const body = stack.use(
    await overWire({ ...options, tls: { ca: authority.cert, ...client } }, { ...files, clientCa })(),
  );
  return bodyOf(stack, body.workspace);
}

/** The same through a UNIX socket. */
export async function openUnixSocket(options: Partial<RemoteWorkspaceOptions>): Promise<Body> {
  const stack = new Cleanup();
  const socket = join(await temporaryDirectory(stack), "yonder.sock");
  const body = stack.use(await overWire(options, { socket })());
  return bodyOf(stack, body.workspace);
}

/** Undoes what was opened, the last first. (Node 22 has no AsyncDisposableStack.) */
class Cleanup {
  readonly #undo: (() => Promise<void>)[] = [];

  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(async () => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(undo: () => Promise<void>): void {
    this.#undo.unshift(undo);
  }

  async run(): Promise<void> {
    for (const undo of this.#undo.splice(0)) await undo();
  }
}

function bodyOf(stack: Cleanup, workspace: Body["workspace"]): Body {
  return { workspace, [Symbol.asyncDispose]: () => stack.run() };
}

async function temporaryDirectory(stack: Cleanup): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "yonder-contract-")));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
