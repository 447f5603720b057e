import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { InstanceChanged } from "../../client/src/index.ts";
import type { ExecEvent, RemoteWorkspace, RemoteWorkspaceOptions } from "../../client/src/index.ts";
import { Followed, followOutput } from "../helpers/follow-output.ts";
import { startProxy } from "../helpers/proxy.ts";
import type { Proxy, Weather } from "../helpers/proxy.ts";
import { serve } from "../helpers/serve.ts";
import type { ServedWorkspace } from "../helpers/serve.ts";
import { tick } from "../helpers/time.ts";
import { until } from "../helpers/until.ts";
import { wires } from "../helpers/wires.ts";
import { connect } from "../helpers/workspaces.ts";

describe("an address that comes to lead elsewhere in the midst of a command", { timeout: 120_000 }, () => {
  test("to another workspace: InstanceChanged, and nothing runs there", async () => {
    const [mine, other] = [await serve(), await serve()];
    const { proxy, workspace } = await connectThrough(mine);
    const handle = await workspace.spawn("echo ran >> runs; read line; echo $line");
    const started = Promise.withResolvers<void>();
    const reading = (async () => {
      for await (const event of handle.events()) if (event.type === "started") started.resolve();
    })();
    await started.promise;
    const waiting = handle.wait();
    proxy.switchTo(other.url);

    const acting = [
      reading,
      waiting,
      handle.stdin.write("on\n"),
      handle.kill(),
      workspace.executeCommand("echo ran >> runs"),
      workspace.spawn("echo ran >> runs"),
      workspace.spawn("echo ran >> runs; read line; echo $line", { execId: handle.execId }),
    ];
    for (const outcome of await Promise.allSettled(acting)) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { reason: "INSTANCE_CHANGED" } });
      expect(InstanceChanged.is((outcome as PromiseRejectedResult).reason)).toBe(true);
    }
    const there = await connect({ host: other.url });
    expect(await there.execs()).toEqual([]);
    expect(await runsOf(other)).toBe("");

    // Back at its own workspace, it stands where it stood.
    proxy.switchTo(mine.url);
    await handle.stdin.write("on\n");
    const whole = await followOutput(handle.events());
    expect(whole).toMatchObject({ bytes: 3, end: { reason: "EXITED", exitCode: 0 } });
    expect(await runsOf(mine)).toBe("ran\n");
  });

  test("to the same workspace, served anew at another port: it goes on", async () => {
    const before = await serve();
    const { proxy, workspace } = await connectThrough(before);
    await workspace.executeCommand("echo before", { execId: "before" });
    await before.stop();
    const after = await serve({ stateDirectory: before.stateDirectory });
    proxy.switchTo(after.url);

    const again = await workspace.attach("before");
    expect(await text(again.stdout)).toBe("before\n");
    expect(await again.wait()).toMatchObject({ reason: "EXITED", exitCode: 0 });
    expect((await workspace.executeCommand("echo after")).stdout).toBe("after\n");
  });
});

/** One that shares a connection among its streams, and one that has a connection for each. */
const twoWires = wires.filter(([name]) => ["gRPC over HTTP/2", "Connect over HTTP/1.1"].includes(name));

describe.for(twoWires)("silence, by %s", { timeout: 120_000 }, ([, wire]) => {
  const heartbeat = ["--heartbeat-interval=200ms"];

  test("a silent command is not cut by a proxy that cuts idle connections, for it is not idle", async () => {
    const server = await serve({ flags: heartbeat });
    const { proxy, workspace } = await connectThrough(server, wire, { idleCutMs: 1_500 });
    const handle = await workspace.spawn("echo begin; sleep 3.5; echo end");
    // From here on only the stream moves.
    const lines: string[] = [];
    for await (const line of handle.lines()) {
      if (lines.push(line) === 1) proxy.cuts = 0;
    }
    expect(lines).toEqual(["begin", "end"]);
    // The client's other connection stood idle, and may have been cut for it; the stream's was not.
    expect(proxy.cuts).toBeLessThanOrEqual(1);
  });

  test("a silent terminal loses nothing where even its heartbeats come too late", async ({ skip }) => {
    const server = await serve();
    const { proxy, workspace } = await connectThrough(server, wire, { idleCutMs: 300 });
    const { features } = await workspace.getServerInfo();
    if (!features.includes("TERMINAL")) skip("this machine has no terminals");
    const handle = await workspace.spawn("stty -echo; echo ready; read line; echo got $line", { terminal: {} });
    const lines: string[] = [];
    for await (const line of handle.lines({ cursor: 0 })) {
      lines.push(line);
      if (line !== "ready") continue;
      const { cuts } = proxy;
      void until(() => proxy.cuts > cuts + 2).then(() => handle.stdin.write("it\n"));
    }
    expect(lines).toEqual(["ready", "got it"]);
    expect(await handle.wait()).toMatchObject({ reason: "EXITED", exitCode: 0 });
  });

  test("a silent command that is waited for through such a proxy ends its wait", async () => {
    const server = await serve();
    const { proxy, workspace } = await connectThrough(server, wire, { idleCutMs: 300 });
    const handle = await workspace.spawn("read line; exit 7");
    const waiting = handle.wait();
    await until(() => proxy.cuts > 2);
    await handle.stdin.write("on\n");
    expect(await waiting).toMatchObject({ reason: "EXITED", exitCode: 7 });
  });

  test("a connection that is dead without a word is noticed, and the stream goes on over another", async () => {
    const server = await serve({ flags: heartbeat });
    const timeouts = { pingIntervalMs: 200, pingTimeoutMs: 400 };
    const { proxy, workspace } = await connectThrough(server, { ...wire, timeouts });
    const handle = await workspace.spawn("echo 1; read line; echo $line; read line; echo $line");
    const lines: string[] = [];
    for await (const line of handle.lines()) {
      lines.push(line);
      if (line === "3") continue;
      proxy.freeze();
      proxy.thawNew();
      // By another way, so that only the stream has to find out.
      const direct = await connect({ host: server.url, ...wire });
      await (await direct.attach(handle.execId)).stdin.write(`${Number(line) + 1}\n`);
    }
    expect(lines).toEqual(["1", "2", "3"]);
    expect(await handle.wait()).toMatchObject({ reason: "EXITED", exitCode: 0 });
  });

  test("a network that is away for a while loses nothing of what is printed meanwhile", async () => {
    const server = await serve({ flags: heartbeat });
    const { proxy, workspace } = await connectThrough(server, wire);
    const handle = await workspace.spawn("echo 1; read line; seq 2 100000");
    const followed = new Followed();
    const events: ExecEvent[] = [];
    const reading = (async () => {
      for await (const event of handle.events()) {
        events.push(event);
        followed.take(event);
      }
    })();
    await until(() => followed.bytes === 2);
    proxy.cut();
    proxy.refuse();
    const direct = await connect({ host: server.url, ...wire });
    const again = await direct.attach(handle.execId);
    await again.stdin.write("on\n");
    const end = await again.wait();
    await tick(100);
    proxy.refuse(false);
    await reading;
    const whole = await followOutput(again.events());
    expect(followed).toMatchObject({ bytes: 588_895, digest: whole.digest, end, lost: [] });
    expect(events.filter(({ type }) => type === "started")).toHaveLength(1);
    expect(events.filter(({ type }) => type === "ended")).toHaveLength(1);
  });
});

async function connectThrough(
  server: ServedWorkspace,
  options: Partial<RemoteWorkspaceOptions> = {},
  weather: Weather = {},
): Promise<{ proxy: Proxy; workspace: RemoteWorkspace }> {
  const proxy = await startProxy({ target: server.url, ...weather });
  onTestFinished(() => proxy.close());
  return { proxy, workspace: await connect({ host: proxy.url, ...options }) };
}

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function runsOf(server: ServedWorkspace): Promise<string> {
  return await readFile(join(server.workingDirectory, "runs"), "utf8").catch(() => "");
}
