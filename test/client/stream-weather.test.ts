import { Code } from "@connectrpc/connect";
import { EndReason } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { ConnectionLost, InstanceChanged, NotFound } from "../../client/src/index.ts";
import type { RemoteWorkspaceOptions } from "../../client/src/index.ts";
import { startProxy } from "../helpers/proxy.ts";
import type { Proxy } from "../helpers/proxy.ts";
import { execRecord, openScriptedServer, refusal, say } from "../helpers/scripted-server.ts";
import { tick } from "../helpers/time.ts";
import { until } from "../helpers/until.ts";
import { connect } from "../helpers/workspaces.ts";

const wires: [string, Pick<RemoteWorkspaceOptions, "protocol" | "httpVersion">][] = [
  ["grpc over HTTP/2", {}],
  ["connect over HTTP/2", { protocol: "connect" }],
  ["grpc-web over HTTP/1.1", { protocol: "grpc-web", httpVersion: "1.1" }],
  ["connect over HTTP/1.1", { httpVersion: "1.1" }],
];

describe.each(wires)("%s", (_name, wire) => {
  test("a stream that ends before the command is gone on with at its cursor", async () => {
    const attached: bigint[] = [];
    const { url } = await openScriptedServer({
      exec: {
        async *exec({ execId }) {
          yield say.started(execId);
          yield say.output(0, "one ");
        },
        async *attach({ execId, start }) {
          attached.push(start.value as bigint);
          yield say.started(execId);
          if (attached.length === 1) {
            yield say.output(4, "two ");
          } else {
            yield say.output(8, "three");
            yield say.ended();
          }
        },
      },
    });
    const workspace = await connect({ host: url, ...wire });
    expect(await workspace.executeCommand("made up")).toMatchObject({ exitCode: 0, stdout: "one two three" });
    expect(attached).toEqual([4n, 8n]);
  });

  test("a silent stream is given up, and heartbeats keep one", async () => {
    let streams = 0;
    const { url } = await openScriptedServer({
      heartbeatMs: 400,
      exec: {
        async *exec({ execId }, { signal }) {
          streams++;
          yield say.started(execId);
          await aborted(signal);
        },
        async *attach({ execId }) {
          streams++;
          yield say.started(execId);
          for (let beat = 0; beat < 16; beat++) {
            await tick(100);
            yield say.heartbeat(0);
          }
          yield say.ended();
        },
      },
    });
    const workspace = await connect({ host: url, ...wire });
    expect((await workspace.executeCommand("made up")).exitCode).toBe(0);
    expect(streams).toBe(2);
  });

  test("a server that is killed in the midst of a call is a lost connection", async () => {
    const { url } = await openScriptedServer({
      exec: {
        async *exec({ execId }, { signal }) {
          yield say.started(execId);
          yield say.output(0, "printed");
          await aborted(signal);
        },
      },
    });
    const proxy = await startProxy({ target: url });
    const workspace = await connect({ host: proxy.url, ...wire, retry: { maxElapsedMs: 200 } });
    const onStdout = () => {
      proxy.refuse();
      proxy.cut();
    };
    const error = await workspace.executeCommand("made up", { execId: "the-id", onStdout }).catch((e: unknown) => e);
    await proxy.close();
    expect(error).toBeInstanceOf(ConnectionLost);
    expect(error).toMatchObject({ reason: "CONNECTION_LOST", execId: "the-id", cursor: 7, mayHaveRun: true });
  });
});

test("a start whose answer is lost is sent again with the same id and request", async () => {
  const ids: string[] = [];
  const way: { proxy?: Proxy } = {};
  const { url } = await openScriptedServer({
    exec: {
      async *exec({ execId }) {
        ids.push(execId);
        if (ids.length < 3) way.proxy?.cut();
        yield say.started(execId);
        yield say.ended();
      },
      startExec({ exec }) {
        ids.push(exec?.execId ?? "");
        if (ids.length < 6) way.proxy?.cut();
        return { exec: execRecord(exec?.execId ?? "") };
      },
    },
  });
  const proxy = await startProxy({ target: url });
  way.proxy = proxy;
  const workspace = await connect({ host: proxy.url });
  const { execId } = await workspace.executeCommand("made up");
  expect(ids).toEqual([execId, execId, execId]);
  const handle = await workspace.spawn("made up");
  expect(ids.slice(3)).toEqual([handle.execId, handle.execId, handle.execId]);
  await workspace.close();
  await proxy.close();
});

test("a reader that was dropped goes on at its own cursor", async () => {
  const { url } = await openScriptedServer({
    exec: {
      async *exec({ execId }) {
        yield say.started(execId);
        yield say.output(0, "one ");
        throw refusal(Code.Aborted, "READER_STALLED", { expectedOffset: 1_000n });
      },
      async *attach({ execId, start }) {
        yield say.started(execId);
        yield say.output(Number(start.value), `from ${start.value}`);
        yield say.ended();
      },
    },
  });
  const workspace = await connect({ host: url });
  expect((await workspace.executeCommand("made up")).stdout).toBe("one from 4");
});

test("bytes that come twice are given once, and a hole is not passed over", async () => {
  let attaches = 0;
  const { url } = await openScriptedServer({
    exec: {
      async *exec({ execId }) {
        yield say.started(execId);
        yield say.output(0, "abc");
        yield say.output(1, "bcdef");
        yield say.output(0, "ab");
        yield say.output(9, "hole");
      },
      async *attach({ execId, start }) {
        attaches++;
        yield say.started(execId);
        yield say.output(Number(start.value), "gh");
        yield say.ended();
      },
    },
  });
  const workspace = await connect({ host: url });
  expect((await workspace.executeCommand("made up")).stdout).toBe("abcdefgh");
  expect(attaches).toBe(1);
});

test("a reason for the end that is not known is no success", async () => {
  const { url } = await openScriptedServer({
    exec: {
      async *exec({ execId }) {
        yield say.started(execId);
        const unknown: number = 99;
        yield say.ended(unknown as EndReason, { exitCode: 0 });
      },
    },
  });
  const workspace = await connect({ host: url });
  expect(await workspace.executeCommand("made up")).toMatchObject({ exitCode: -1, reason: "UNKNOWN" });
});

test.each([
  ["EXITED", { exitCode: 3 }, 3, false],
  ["SIGNALED", { signal: "SIGKILL" }, -9, false],
  ["SIGNALED", { signal: "SIGHUP" }, -1, false],
  ["SIGNALED", { signal: "SIGRTMIN+2" }, -36, false],
  ["KILLED", { signal: "SIGTERM" }, -15, false],
  ["KILLED", { exitCode: 0 }, 0, false],
  ["TIMED_OUT", { signal: "SIGTERM" }, -1, true],
  ["TIMED_OUT", { exitCode: 0 }, -1, true],
  ["IDLE_TIMED_OUT", { signal: "SIGKILL" }, -1, true],
  ["OUT_OF_MEMORY", { signal: "SIGKILL" }, -9, false],
  ["OUTPUT_LIMIT", { signal: "SIGTERM" }, -15, false],
  ["OUTPUT_LIMIT", { exitCode: 0 }, -1, false],
  ["SERVER_LOST", {}, -1, false],
] as const)("%s with %j has the exit code %i", async (reason, rest, exitCode, timeoutOccurred) => {
  const { url } = await openScriptedServer({
    exec: {
      async *exec({ execId }) {
        yield say.started(execId);
        yield say.ended(EndReason[reason], { ...rest });
      },
    },
  });
  const workspace = await connect({ host: url });
  expect(await workspace.executeCommand("made up")).toMatchObject({ exitCode, reason, timeoutOccurred });
});

test("another workspace at the same address is told, and asked for nothing", async () => {
  let ran = 0;
  const exec = {
    async *exec({ execId }: { execId: string }, { signal }: { signal: AbortSignal }) {
      ran++;
      yield say.started(execId);
      await aborted(signal);
    },
    async *attach() {
      ran++;
      throw refusal(Code.NotFound, "EXEC_NOT_FOUND");
    },
  };
  const [one, other] = [await openScriptedServer({ exec }), await openScriptedServer({ exec })];
  const proxy = await startProxy({ target: one.url });
  const workspace = await connect({ host: proxy.url });
  const running = workspace.executeCommand("made up").catch((error: unknown) => error);
  await until(() => ran > 0);
  proxy.switchTo(other.url);
  const error = await running;
  expect(error).toBeInstanceOf(InstanceChanged);
  expect(error).toMatchObject({ reason: "INSTANCE_CHANGED", workspaceId: other.workspaceId });
  expect(ran).toBe(1);
  await workspace.close();
  await proxy.close();
});

test("what the server refuses is not tried again", async () => {
  let calls = 0;
  const { url } = await openScriptedServer({
    exec: {
      async *exec() {
        calls++;
        throw refusal(Code.NotFound, "EXEC_EXPIRED");
      },
    },
  });
  const workspace = await connect({ host: url });
  const error = await workspace.executeCommand("made up").catch((e: unknown) => e);
  expect(NotFound.is(error)).toBe(true);
  expect(error).toMatchObject({ reason: "EXEC_EXPIRED", subject: "the subject", message: "the message" });
  expect(calls).toBe(1);
});

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
