import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { LocalWorkspace } from "../../../client/src/local-workspace.ts";
import { InvalidRequest, NotFound, RemoteWorkspace, withWorkspace } from "../../../client/src/index.ts";
import type { Workspace } from "../../../client/src/index.ts";
import { startServer } from "../../../server/src/index.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";

const key = "a-callback-key-that-nobody-may-see";

interface Told {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

beforeEach(() => {
  for (const name of ["URL", "API_KEY"]) vi.stubEnv(`AUTOMATION_CALLBACK_${name}`, undefined);
  vi.stubEnv("AUTOMATION_RUN_ID", undefined);
  return () => vi.unstubAllEnvs();
});

const kinds: [string, () => Promise<Workspace>][] = [
  ["local", async () => LocalWorkspace.open({ workingDir: await temporaryDirectory() })],
  ["remote", async () => RemoteWorkspace.connect({ host: await served() })],
];

for (const [kind, open] of kinds) {
  test(`the end of a ${kind} workspace's scope closes it and tells the automation service, once`, async () => {
    const service = await callbackService();
    vi.stubEnv("AUTOMATION_CALLBACK_API_KEY", key);
    vi.stubEnv("AUTOMATION_RUN_ID", "run-1");
    const workspace = await open();
    {
      await using scope = workspace;
      scope.registerConversation("conversation-1");
      scope.registerCost(0.25);
      expect(service.told).toEqual([]);
    }
    await workspace[Symbol.asyncDispose]();
    expect(service.told).toEqual([
      {
        method: "POST",
        url: "/complete?run=1",
        headers: expect.objectContaining({ "content-type": "application/json", authorization: `Bearer ${key}` }),
        body: { status: "COMPLETED", run_id: "run-1", conversation_id: "conversation-1", cost: 0.25 },
      },
    ]);
    await expect(workspace.executeCommand("true")).rejects.toMatchObject({ reason: "WORKSPACE_CLOSED" });
  });

  test(`what a ${kind} workspace's scope threw is told as FAILED and thrown on`, async () => {
    const service = await callbackService();
    const thrown = await withWorkspace(open, async (workspace) =>
      workspace.spawn("no-such", { cwd: "/nowhere" }),
    ).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(NotFound);
    const error = { source: "environment", code: "NotFound", detail: (thrown as Error).message };
    expect(service.told.map(({ body }) => body)).toEqual([{ status: "FAILED", error }]);
    expect(service.told[0]?.headers.authorization).toBeUndefined();
  });
}

test("without an address in the environment nothing is told, and close alone tells nothing", async () => {
  const service = await callbackService();
  await (await local()).close();
  vi.stubEnv("AUTOMATION_CALLBACK_URL", "");
  await withWorkspace(local, () => {});
  expect(service.told).toEqual([]);
});

test("withWorkspace resolves to what its body does, and a workspace that cannot be had is a failure too", async () => {
  const service = await callbackService();
  expect(await withWorkspace(local, async (workspace) => (await workspace.executeCommand("echo hi")).stdout)).toBe(
    "hi\n",
  );
  const open = () => RemoteWorkspace.connect({ host: "nonsense" });
  await expect(withWorkspace(open, () => {})).rejects.toBeInstanceOf(InvalidRequest);
  expect(service.told.map(({ body }) => body)).toEqual([
    { status: "COMPLETED" },
    { status: "FAILED", error: expect.objectContaining({ code: "InvalidRequest" }) },
  ]);
});

test("what fails while it is closed does not hide what its scope threw, and is thrown where that went well", async () => {
  const service = await callbackService();
  const failing = async () => {
    const workspace = await local();
    const close = workspace.close.bind(workspace);
    workspace.close = async () => {
      await close();
      throw new Error("could not be closed");
    };
    return workspace;
  };
  const body = () => {
    throw new TypeError("the user's own");
  };
  await expect(withWorkspace(failing, body)).rejects.toThrow("the user's own");
  await expect(withWorkspace(failing, () => {})).rejects.toThrow("could not be closed");
  expect(service.told.map(({ body }) => body)).toEqual([
    { status: "FAILED", error: { source: "environment", code: "TypeError", detail: "the user's own" } },
    { status: "COMPLETED" },
  ]);
});

test("an automation service that refuses, redirects or is not there is a warning without key and path", async () => {
  const service = await callbackService((response) => response.writeHead(500).end("no"));
  vi.stubEnv("AUTOMATION_CALLBACK_API_KEY", key);
  const origin = new URL(String(process.env.AUTOMATION_CALLBACK_URL)).origin;
  expect(await warningOf(() => withWorkspace(local, () => {}))).toContain(`${origin} answered 500`);

  service.answer = (response) => response.writeHead(307, { location: `${origin}/elsewhere` }).end();
  expect(await warningOf(() => withWorkspace(local, () => {}))).toContain(`${origin} answered 307`);
  expect(service.told).toHaveLength(2);

  service.answer = (response) => response.destroy();
  expect(await warningOf(() => withWorkspace(local, () => {}))).toContain(`${origin} could not be told`);

  vi.stubEnv("AUTOMATION_CALLBACK_API_KEY", `${key}\nx: y`);
  expect(await warningOf(() => withWorkspace(local, () => {}))).toContain("could not be told");

  vi.stubEnv("AUTOMATION_CALLBACK_URL", "ftp://example.test/");
  expect(await warningOf(() => withWorkspace(local, () => {}))).toContain("is no http(s) URL");
  vi.stubEnv("AUTOMATION_CALLBACK_URL", "http://user:secret@example.test/");
  expect(await warningOf(() => withWorkspace(local, () => {}))).toContain("must have no user or password");
});

test("an automation service that does not answer holds nobody up for good", async () => {
  await callbackService(() => {});
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const spy = vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => timeout(ms / 100));
  onTestFinished(() => spy.mockRestore());
  expect(await warningOf(() => withWorkspace(local, () => {}))).toContain("no answer within 10000 ms");
  expect(spy).toHaveBeenCalledWith(10_000);
});

test("a cost or conversation that makes no sense is refused by name", async () => {
  await withWorkspace(local, (workspace) => {
    for (const cost of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => workspace.registerCost(cost)).toThrow(expect.objectContaining({ subject: "cost" }));
    }
    expect(() => workspace.registerConversation("")).toThrow(expect.objectContaining({ subject: "conversationId" }));
  });
});

async function local(): Promise<LocalWorkspace> {
  return LocalWorkspace.open({ workingDir: await temporaryDirectory() });
}

async function served(): Promise<string> {
  const server = await startServer({ port: 0, workingDirectory: await temporaryDirectory() });
  onTestFinished(() => server.close({ graceMs: 0 }));
  return server.url;
}

/** An automation service, named in the environment. */
async function callbackService(answer: (response: ServerResponse) => void = (response) => response.end("{}")) {
  const service = { told: [] as Told[], answer };
  const server = createServer((request, response) => {
    void (async () => {
      const chunks = await request.toArray();
      const body: unknown = JSON.parse(Buffer.concat(chunks as Buffer[]).toString());
      service.told.push({ method: request.method, url: request.url, headers: request.headers, body });
      service.answer(response);
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  vi.stubEnv("AUTOMATION_CALLBACK_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}/complete?run=1`);
  return service;
}

/** The one warning of the process that `work` leads to. */
async function warningOf(work: () => Promise<unknown>): Promise<string> {
  const warnings: string[] = [];
  const spy = vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  expect(warnings).toHaveLength(1);
  for (const secret of [key, "secret", "/complete", "run=1"]) expect(warnings[0]).not.toContain(secret);
  return warnings[0] ?? "";
}
