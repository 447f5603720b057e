import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";
import { startProxy } from "../../helpers/proxy.ts";

const roundTripMs = 40;
const bytes = 3 * 1024 * 1024;

/** How long a unary call with a large request takes to a server 40 ms away. */
async function uploadMs(url: string): Promise<number> {
  const session = connect(url);
  try {
    // The server's settings, and with them its windows, are there.
    await new Promise((resolve, reject) => session.once("remoteSettings", resolve).once("error", reject));
    const begin = performance.now();
    const stream = session.request({
      ":method": "POST",
      ":path": "/yonder.workspace.v1.ExecService/WriteStdin",
      "content-type": "application/proto",
    });
    const field = Buffer.from([0x1a, ...varint(bytes)]);
    stream.end(Buffer.concat([field, Buffer.alloc(bytes)]));
    await new Promise((resolve, reject) => stream.once("response", resolve).once("error", reject));
    return performance.now() - begin;
  } finally {
    // Before its proxy goes, which resets it.
    session.destroy();
  }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

/** A server as Node has it: with 64 KiB in flight at a time an upload takes 48 round trips. */
async function startPlain(): Promise<string> {
  const server = createServer((request, response) => void request.resume().on("end", () => response.end()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("an upload from afar is not held up by windows of 64 KiB", async () => {
  const { url } = await openTestEdge({ exec: { writeStdin: () => ({}) } });
  const [ours, plain] = await Promise.all(
    [url, await startPlain()].map(async (target) => {
      await using proxy = await startProxy({ target, delayMs: roundTripMs / 2 });
      return await uploadMs(proxy.url);
    }),
  );
  // Side by side, so that whatever else the machine does slows both.
  expect(ours).toBeLessThan((plain ?? 0) / 2);
});
