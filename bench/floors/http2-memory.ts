// The floor under bytes in memory: the same piece again and again into a bare HTTP/2 stream, and out of it to nowhere (get)
// or into a file, synced (put). By itself: `npx node bench/floors/http2-memory.ts [BYTES] [BYTES OF A PIECE]`.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { Http2Stream, ServerHttp2Stream } from "node:http2";
import { pipeline } from "node:stream/promises";
import { listening, runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";
import { wideServer, wideSession } from "../kit/wide-http2.ts";

await runFloor({
  serve() {
    const server = wideServer((stream, headers) => {
      if (headers[":method"] === "PUT") return void receive(stream, String(headers["file"]));
      stream.respond();
      send(stream, Number(headers["bytes"]), Buffer.alloc(Number(headers["piece"]), 7));
    });
    return listening(server);
  },
  async connect(port) {
    const session = await wideSession(port);
    return async (program) => {
      const [verb = "", bytes = "0", piece = "0", file = ""] = argvOf(program);
      const isPut = verb === "put";
      const headers = { ":method": verb.toUpperCase(), ":path": "/", bytes, piece, file };
      const stream = session.request(headers, { endStream: !isPut });
      let received = 0;
      stream.on("data", (chunk: Buffer) => (received += chunk.length));
      if (isPut) send(stream, Number(bytes), Buffer.alloc(Number(piece), 7));
      await once(stream, "close");
      return isPut ? Number(bytes) : received;
    };
  },
  alone: ([bytes = 2 ** 30, piece = 512 * 1024]) => ["get", String(bytes), String(piece)],
});

function send(stream: Http2Stream, bytes: number, piece: Buffer): void {
  for (let left = bytes; left > 0;) {
    const isTaken = stream.write(piece.subarray(0, left));
    left -= piece.length;
    if (!isTaken) return void stream.once("drain", () => send(stream, left, piece));
  }
  stream.end();
}

async function receive(stream: ServerHttp2Stream, path: string): Promise<void> {
  await pipeline(stream, createWriteStream(path, { flush: true }));
  stream.respond({}, { endStream: true });
}
