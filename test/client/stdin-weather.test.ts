import { createHash } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { startServer } from "../../server/src/index.ts";
import { startProxy } from "../helpers/proxy.ts";
import { execRecord, openScriptedServer } from "../helpers/scripted-server.ts";
import { temporaryDirectory } from "../helpers/certificates.ts";
import { wires } from "../helpers/wires.ts";
import { connect } from "../helpers/workspaces.ts";

const apiKey = "a-key-for-tests-that-is-long-enough";

test.for(wires)("standard input arrives once and whole however often its way is cut, by %s", async ([, wire]) => {
  const server = await startServer({ port: 0, apiKeys: [apiKey], workingDirectory: await temporaryDirectory() });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const proxy = await startProxy({ target: server.url });
  onTestFinished(() => proxy.close());
  const workspace = await connect({ host: proxy.url, apiKey, ...wire });
  const stdin = new Uint8Array(6_000_000).map((_, index) => index % 251);
  const handle = await workspace.spawn("sha256sum");
  proxy.set({ cutAfterBytesUp: () => 100_000 + Math.floor(Math.random() * 1_500_000), cutAfterBytes: () => 4_000 });
  proxy.cut();
  await handle.stdin.write(stdin.subarray(0, 2_500_000));
  await handle.stdin.end(stdin.subarray(2_500_000));
  await handle.wait();
  expect(proxy.cuts).toBeGreaterThan(2);
  expect((await handle.output()).text.split(" ")[0]).toBe(createHash("sha256").update(stdin).digest("hex"));
});

test("a signal whose answer is lost is sent again as the same one", async () => {
  const ids: string[] = [];
  const way: { cut?: () => void } = {};
  const { url } = await openScriptedServer({
    exec: {
      getExec: ({ execId }) => ({ exec: execRecord(execId) }),
      sendSignal({ requestId }) {
        ids.push(requestId);
        if (ids.length < 3) way.cut?.();
        return { signalledProcesses: 1 };
      },
    },
  });
  const proxy = await startProxy({ target: url });
  onTestFinished(() => proxy.close());
  way.cut = () => proxy.cut();
  const workspace = await connect({ host: proxy.url });
  const handle = await workspace.attach("made-up");
  expect(await handle.kill("SIGINT")).toBe(1);
  expect(ids.length).toBe(3);
  expect(new Set(ids).size).toBe(1);
  await handle.kill("SIGINT");
  expect(new Set(ids).size).toBe(2);
});

test("another writer to the same input is told", async () => {
  const { url } = await openScriptedServer({
    exec: {
      getExec: ({ execId }) => ({ exec: execRecord(execId) }),
      writeStdin: () => ({ offset: 1_000n }),
    },
  });
  const workspace = await connect({ host: url });
  const handle = await workspace.attach("made-up");
  await expect(handle.stdin.write("mine")).rejects.toMatchObject({ name: "Conflict", expectedOffset: 1_000 });
});
