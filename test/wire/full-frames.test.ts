import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { ClientHttp2Stream, Http2Stream, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { FullFrames } from "../../wire/src/full-frames.ts";

const frame = 16_384;
const long = 32 << 20;

/** A stream that takes everything at once, and how many bytes each write had, to a peer with such a window. */
function record(windowBytes: number): { stream: Http2Stream; sizes: number[] } {
  const sizes: number[] = [];
  const stream = new Writable({
    highWaterMark: 64 << 20,
    writev(chunks, done) {
      sizes.push(chunks.reduce((sum, { chunk }) => sum + (chunk as Buffer).length, 0));
      done();
    },
  });
  const session = { remoteSettings: { initialWindowSize: windowBytes } };
  return { stream: Object.assign(stream, { session }) as unknown as Http2Stream, sizes };
}

const write = (frames: FullFrames, ...sizes: number[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const pieces = sizes.map((size) => Buffer.alloc(size));
    frames.write(pieces, (error) => (error ? reject(error) : resolve()));
  });

test("on a long line, where large messages follow each other, each write ends where a frame does", async () => {
  const { stream, sizes } = record(long);
  const frames = new FullFrames(stream);
  await write(frames, 92);
  for (let left = 100; left > 0; left--) await write(frames, 23, 512 << 10, 5);
  const [, ...bulk] = sizes;
  let end = 92;
  expect(bulk.filter((size) => (end += size) % frame !== 0)).toEqual([]);
  frames.flush();
  await once(stream.end(), "finish");
  expect(sizes.reduce((sum, size) => sum + size)).toBe(92 + 100 * (28 + (512 << 10)));
});

test("what is small leaves whole, and so does everything on a fast line", async () => {
  const { stream, sizes } = record(long);
  const frames = new FullFrames(stream);
  for (const size of [5, 100, frame - 1, frame, frame + 1, 100_000]) await write(frames, size);
  expect(sizes).toEqual([5, 100, frame - 1, frame, frame + 1, 100_000]);
  const fast = record(2 << 20);
  await write(new FullFrames(fast.stream), 23, 512 << 10, 5);
  expect(fast.sizes).toEqual([28 + (512 << 10)]);
});

/** Both ends of a stream over HTTP/2 whose windows are those of a long line. */
async function openStream(): Promise<{ sender: ClientHttp2Stream; receiver: ServerHttp2Stream }> {
  const server = createServer({ settings: { initialWindowSize: long } });
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => session.destroy());
  await once(session, "remoteSettings");
  const sender = session.request({ ":method": "POST" }, { endStream: false });
  const [receiver] = (await once(server, "stream")) as [ServerHttp2Stream];
  for (const stream of [sender, receiver]) stream.on("error", () => {});
  return { sender, receiver };
}

test("what waits for the next write does not wait for long", async () => {
  const { sender, receiver } = await openStream();
  let read = 0;
  const isThere = new Promise<void>((resolve) => {
    receiver.on("data", (chunk: Buffer) => {
      read += chunk.length;
      if (read === 200_001) resolve();
    });
  });
  await write(new FullFrames(sender), 200_001);
  // The stream is still open.
  await isThere;
});

test("every byte arrives once and in order, whatever the writes' sizes are", async () => {
  const { sender, receiver } = await openStream();
  const received = buffer(receiver);
  const frames = new FullFrames(sender);
  const sent: Buffer[] = [];
  for (let turn = 0; turn < 60; turn++) {
    const pieces = [turn, 1 + turn * 3_001, 5].map((size) => randomBytes(size));
    sent.push(...pieces);
    const written = new Promise((resolve) => frames.write(pieces, resolve));
    // Some of the writes come before the one before is done, and some so late that its rest has left.
    if (turn % 3 > 0) await written;
    if (turn % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    // Its memory is used again.
    if (turn % 3 > 0) {
      const copies = pieces.map((piece) => Buffer.from(piece));
      sent.splice(-pieces.length, pieces.length, ...copies);
      for (const piece of pieces) piece.fill(0);
    }
  }
  frames.flush();
  sender.end();
  expect((await received).equals(Buffer.concat(sent))).toBe(true);
});

test("a rest that nobody can have any more is let go", async () => {
  const { sender, receiver } = await openStream();
  const frames = new FullFrames(sender);
  await write(frames, 200_001);
  receiver.close(8);
  await once(sender, "close");
  // Past the time for which a rest waits.
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(sender.destroyed).toBe(true);
});
