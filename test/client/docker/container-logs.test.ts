import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readLogs } from "../../../client/src/docker/container-logs.ts";
import { Engine } from "../../../client/src/docker/engine.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";

/** What an engine sends of a container without a terminal. */
function frame(stream: 1 | 2, data: string | Buffer): Buffer {
  const content = Buffer.from(data);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

async function linesOf(...frames: Buffer[]): Promise<string[]> {
  const socketPath = join(await temporaryDirectory(), "engine.sock");
  const server = createServer((_, response) => response.end(Buffer.concat(frames))).listen(socketPath);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const engine = new Engine({ target: { socketPath }, host: `unix://${socketPath}`, tls: undefined });
  const lines: string[] = [];
  for await (const line of readLogs(engine, "any", { follow: false })) lines.push(line);
  return lines;
}

test("lines of two streams are kept apart, and characters that frames cut are whole", async () => {
  const umlaut = Buffer.from("ü");
  const frames = [
    frame(1, Buffer.concat([Buffer.from("a"), umlaut.subarray(0, 1)])),
    frame(2, "other\n"),
    frame(1, Buffer.concat([umlaut.subarray(1), Buffer.from("\nend")])),
  ];
  expect(await linesOf(...frames)).toEqual(["other", "aü", "end"]);
});

test("a line without an end is told in parts", async () => {
  const lines = await linesOf(...Array.from({ length: 64 }, () => frame(1, "x".repeat(100_000))));
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.join("")).toHaveLength(6_400_000);
});
