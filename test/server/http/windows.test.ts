import { connect } from "node:http2";
import { expect, onTestFinished, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";
import { startProxy } from "../../helpers/proxy.ts";

const roundTripMs = 40;
const bytes = 3 * 1024 * 1024;

/** How long a unary call with a large request takes to a server 40 ms away. */
async function uploadMs(url: string): Promise<number> {
  const session = connect(url);
  onTestFinished(() => session.destroy());
  // The server's settings, and with them its windows, are there.
  await new Promise((resolve) => session.once("remoteSettings", resolve));
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
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

test("an upload from afar is not held up by windows of 64 KiB", async () => {
  const { url } = await openTestEdge({ exec: { writeStdin: () => ({}) } });
  const near = await uploadMs(url);
  await using proxy = await startProxy({ target: url, delayMs: roundTripMs / 2 });
  const far = await uploadMs(proxy.url);
  // With 64 KiB in flight at a time these would be 48 round trips.
  expect((far - near) / roundTripMs).toBeLessThan(16);
});
