import { connect } from "node:http2";
import { ConnectError, createClient } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason, ExecService, WorkspaceService } from "@yonder/proto";
import { Health } from "@yonder/proto/grpc/health/v1/health";
import { describe, expect, onTestFinished, test } from "vitest";
import { iterate } from "../../helpers/collect.ts";
import { openTestEdge, transports } from "../../helpers/edge.ts";
import { openRaw } from "../../helpers/raw.ts";
import { tick } from "../../helpers/time.ts";

/** A stream that never ends by itself, though it sees when it is aborted. */
async function* endless(_request: unknown, { signal }: { signal: AbortSignal }) {
  yield { event: { event: { case: "heartbeat", value: {} } } } as const;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

/** A stream that does not even look. */
async function* stubborn() {
  yield { event: { event: { case: "heartbeat", value: {} } } } as const;
  await new Promise(() => {});
}

/** A grace that no test waits out: a stop that did would be ended as one that hangs. */
const hour = 3_600_000;

describe.each(Object.entries(transports))("%s", (_name, createTransport) => {
  test("a call that runs when the server stops finishes within the grace", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const getExec = async () => {
      begin();
      await released;
      return { instanceId: "finished" };
    };
    const { url, edge } = await openTestEdge({ exec: { getExec } });
    const call = createClient(ExecService, createTransport(url)).getExec({});
    await begun;
    const closed = edge.close({ graceMs: hour });
    await tick(100);
    release();
    expect((await call).instanceId).toBe("finished");
    await closed;
  });

  test("a stream that outlasts the grace is told SERVER_STOPPING", async () => {
    const { url, edge } = await openTestEdge({ exec: { exec: endless } });
    const events = iterate(createClient(ExecService, createTransport(url)).exec({}));
    await events.next();
    const begin = performance.now();
    const closed = edge.close({ graceMs: 300 });
    const error = ConnectError.from(await events.next().catch((caught: unknown) => caught));
    expect(error.code).toBe(14);
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      { reason: ErrorReason.SERVER_STOPPING, retryable: true },
    ]);
    await closed;
    expect(performance.now() - begin).toBeGreaterThan(280);
  });

  test("a call that comes while the server stops is refused", async () => {
    const { url, edge } = await openTestEdge({ exec: { exec: endless } });
    const transport = createTransport(url);
    await iterate(createClient(ExecService, transport).exec({})).next();
    const closed = edge.close({ graceMs: 500 });
    await tick(50);
    await expect(createClient(WorkspaceService, transport).getInfo({})).rejects.toMatchObject({ code: 14 });
    await closed;
  });
});

test.each(["grpc over HTTP/2", "connect over HTTP/1.1"] as const)(
  "a handler that will not end does not hold up the stop: %s",
  async (name) => {
    const { url, edge } = await openTestEdge({ exec: { exec: stubborn } });
    const events = iterate(createClient(ExecService, transports[name](url)).exec({}));
    await events.next();
    const closed = edge.close({ graceMs: 300 });
    await expect(events.next()).rejects.toBeInstanceOf(ConnectError);
    await closed;
  },
);

test("a call in memory that comes while the server stops is told SERVER_STOPPING, health is told as it is", async () => {
  const { app } = await openTestEdge();
  app.lifecycle.refuseNewCalls();
  app.health.stop();
  const transport = app.createTransport();
  const error = ConnectError.from(
    await createClient(WorkspaceService, transport)
      .getInfo({})
      .catch((caught: unknown) => caught),
  );
  expect(error.findDetails(ErrorDetailSchema)).toMatchObject([{ reason: ErrorReason.SERVER_STOPPING }]);
  expect((await createClient(Health, transport).check({})).status).toBe(2);
});

test("work is stopped within the grace, before the streams are cut", async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  async function* exec() {
    yield { event: { event: { case: "heartbeat", value: {} } } } as const;
    await ended;
    yield { event: { event: { case: "ended", value: {} } } } as const;
  }
  const { url, edge } = await openTestEdge({ exec: { exec } });
  const events = iterate(createClient(ExecService, transports["grpc over HTTP/2"](url)).exec({}));
  await events.next();
  const closed = edge.close({ graceMs: hour, stopWork: async () => end() });
  expect((await events.next()).value).toMatchObject({ event: { event: { case: "ended" } } });
  expect((await events.next()).done).toBe(true);
  await closed;
});

test("work that cannot be stopped does not hold up the stop", async () => {
  const { edge } = await openTestEdge();
  await edge.close({ graceMs: 300, stopWork: () => new Promise(() => {}) });
});

test("a health watcher hears NOT_SERVING and does not hold up the stop", async () => {
  const { url, edge } = await openTestEdge();
  const watch = iterate(createClient(Health, transports["grpc over HTTP/2"](url)).watch({}));
  expect((await watch.next()).value?.status).toBe(1);
  const closed = edge.close({ graceMs: hour });
  expect((await watch.next()).value?.status).toBe(2);
  await expect(watch.next()).rejects.toMatchObject({ code: 14 });
  await closed;
});

test("idle and unfinished connections do not hold up the stop", async () => {
  const { port, edge, url } = await openTestEdge();
  const silent = await openRaw(port);
  const halfway = await openRaw(port);
  halfway.socket.write("POST / HTTP/1.1\r\nHost: ");
  const kept = await openRaw(port);
  kept.socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await kept.received(/serving/);
  const session = connect(url);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  await edge.close({ graceMs: hour });
  await Promise.all([silent.closed, halfway.closed, kept.closed]);
});

test("a peer that stopped reading is broken off at the hard limit", async () => {
  const data = Buffer.alloc(256 * 1024);
  async function* exec() {
    for (;;) yield { event: { event: { case: "output", value: { data } } } } as const;
  }
  const { port, edge } = await openTestEdge({ exec: { exec } });
  const { socket, received } = await openRaw(port);
  socket.write(
    "POST /yonder.workspace.v1.ExecService/Exec HTTP/1.1\r\nHost: localhost\r\n" +
      "Content-Type: application/connect+proto\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0",
  );
  await received(/HTTP\/1\.1 200/);
  socket.pause();
  await tick(300);
  await edge.close({ graceMs: 300 });
});
