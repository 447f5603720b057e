import { connect } from "node:http2";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { ExecService, FileService, WorkspaceService } from "@yonder/proto";
import { expect, onTestFinished, test } from "vitest";
import { iterate } from "../../helpers/collect.ts";
import { openTestEdge } from "../../helpers/edge.ts";
import { startProxy } from "../../helpers/proxy.ts";
import { patient, tick } from "../../helpers/time.ts";

const impatient = { pingIntervalMs: 100, pingTimeoutMs: 700 };

/** An Exec that counts how many of its streams run. */
function countedExec() {
  const running = { count: 0 };
  async function* exec(_request: unknown, { signal }: { signal: AbortSignal }) {
    running.count += 1;
    try {
      yield { event: { event: { case: "heartbeat", value: {} } } } as const;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    } finally {
      running.count -= 1;
    }
  }
  return { running, exec };
}

test("an HTTP/2 peer that froze is noticed and its calls are aborted", async () => {
  const { running, exec } = countedExec();
  const { url } = await openTestEdge({ connectionLimits: impatient, exec: { exec } });
  await using proxy = await startProxy({ target: url });
  const client = createClient(ExecService, createGrpcTransport({ baseUrl: proxy.url }));
  const events = iterate(client.exec({}));
  await events.next();
  expect(running.count).toBe(1);
  proxy.freeze();
  await expect.poll(() => running.count, patient).toBe(0);
});

test("an HTTP/2 peer that is idle but answers pings keeps its connection", async () => {
  const { running, exec } = countedExec();
  const { url } = await openTestEdge({ connectionLimits: impatient, exec: { exec } });
  const client = createClient(ExecService, createGrpcTransport({ baseUrl: url }));
  const events = iterate(client.exec({}));
  await events.next();
  await tick(2_000);
  expect(running.count).toBe(1);
});

test("a frozen peer is not noticed without pings, which shows that it is they who tell", async () => {
  const { running, exec } = countedExec();
  const { url } = await openTestEdge({ connectionLimits: { ...impatient, pingIntervalMs: 60_000 }, exec: { exec } });
  await using proxy = await startProxy({ target: url });
  const client = createClient(ExecService, createGrpcTransport({ baseUrl: proxy.url }));
  await iterate(client.exec({})).next();
  proxy.freeze();
  await tick(1_000);
  expect(running.count).toBe(1);
});

test("300 streams that nobody reads leave their connection usable", async () => {
  const data = Buffer.alloc(256 * 1024);
  async function* exec() {
    for (;;) yield { event: { event: { case: "output", value: { data } } } } as const;
  }
  const { port, url } = await openTestEdge({ exec: { exec } });
  const session = connect(url, { maxSessionMemory: 1000 });
  onTestFinished(() => session.destroy());
  const errors: unknown[] = [];
  session.on("error", (error) => errors.push(error));
  const call = (method: string) =>
    session.request({
      ":method": "POST",
      ":path": `/yonder.workspace.v1.${method}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
  const emptyMessage = Buffer.alloc(5);
  for (let index = 0; index < 300; index += 1) {
    const stream = call("ExecService/Exec");
    stream.on("error", (error) => errors.push(error));
    // Nothing reads it, so its window stays where it is.
    stream.end(emptyMessage);
  }
  await tick(1_000);
  const info = call("WorkspaceService/GetInfo");
  info.end(emptyMessage);
  const status = await new Promise((resolve, reject) => {
    info.on("response", (headers) => resolve(headers[":status"])).on("error", reject);
  });
  expect(status).toBe(200);
  expect(errors).toEqual([]);
  // And the connection of another client, too.
  const other = createConnectTransport({ baseUrl: `http://127.0.0.1:${port}`, httpVersion: "2" });
  await createClient(WorkspaceService, other).getInfo({});
});

/** Begins an endless upload, goes away when its handler has read once, and says when the handler was aborted. */
async function abandonUpload(httpVersion: "1.1" | "2", readsOn: Promise<void>): Promise<() => boolean> {
  let aborted = false;
  const begun = Promise.withResolvers<void>();
  const upload = async (requests: AsyncIterable<unknown>, { signal }: { signal: AbortSignal }) => {
    signal.addEventListener("abort", () => (aborted = true));
    const iterator = requests[Symbol.asyncIterator]();
    await iterator.next();
    begun.resolve();
    await readsOn;
    while ((await iterator.next()).done !== true);
    return {};
  };
  const { url } = await openTestEdge({ files: { upload } });
  const client = createClient(FileService, createConnectTransport({ baseUrl: url, httpVersion }));
  const abort = new AbortController();
  const data = new Uint8Array(256 * 1024);
  async function* chunks() {
    for (;;) yield { part: { case: "chunk", value: { data } } } as const;
  }
  const call = client.upload(chunks(), { signal: abort.signal });
  await begun.promise;
  // Until everything in between is full.
  await tick(300);
  abort.abort();
  await expect(call).rejects.toMatchObject({ code: 1 });
  return () => aborted;
}

test("an upload over HTTP/2 whose client goes away is aborted though its handler does not read", async () => {
  const aborted = await abandonUpload("2", new Promise(() => {}));
  await expect.poll(aborted, patient).toBe(true);
});

// TCP says nothing of a peer that closed behind bytes that nobody has read.
test("an upload over HTTP/1.1 whose client goes away is aborted when its handler reads on", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const aborted = await abandonUpload("1.1", promise);
  resolve();
  await expect.poll(aborted, patient).toBe(true);
});
