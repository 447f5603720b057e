// The floor under moving a file: a bare HTTP/2 stream into a file and out of one, made to last, and nothing in between. It
// checks nothing, resumes nothing and replaces files in place.
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

const windowBytes = 8 << 20;
const highWaterMark = 256 << 10;

const server = createServer({ settings: { initialWindowSize: windowBytes } });
server.on("session", (session) => session.setLocalWindowSize(windowBytes));
server.on("stream", (stream, headers) => {
  const path = decodeURIComponent(String(headers["file"]));
  if (headers[":method"] === "GET") {
    stream.respond({ ":status": 200 });
    createReadStream(path, { highWaterMark }).pipe(stream);
    return;
  }
  void (async () => {
    await pipeline(stream, createWriteStream(path, { highWaterMark }), { end: true });
    const handle = await open(path, "r+");
    await handle.sync();
    await handle.close();
    stream.respond({ ":status": 200 }, { endStream: true });
  })();
});

process.once("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
