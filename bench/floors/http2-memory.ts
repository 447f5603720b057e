// The floor under bytes in memory: the same pieces again and again into a bare HTTP/2 stream, and out of it to nowhere.
// By itself: `npx node bench/floors/http2-memory.ts [BYTES] [BYTES OF A PIECE]`.
import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { ServerHttp2Stream } from "node:http2";
import { listening, runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";

const windowBytes = 8 << 20;
const settings = { initialWindowSize: windowBytes };

await runFloor({
  async serve() {
    const server = createServer({ settings });
    server.on("stream", (stream, headers) => {
      stream.respond({ ":status": 200 });
      send(stream, Number(headers["bytes"]), Buffer.alloc(Number(headers["piece"]), 7));
    });
    return await listening(server);
  },
  async connect(port) {
    const session = connect(`http://127.0.0.1:${port}`, { settings });
    await once(session, "connect");
    session.setLocalWindowSize(windowBytes);
    return async (program) => {
      const [, bytes = "0", piece = "0"] = argvOf(program);
      const stream = session.request({ ":path": "/", bytes, piece });
      let received = 0;
      stream.on("data", (chunk: Buffer) => (received += chunk.length));
      await once(stream, "close");
      return received;
    };
  },
  alone: ([bytes = 2 ** 30, piece = 512 * 1024]) => ["get", String(bytes), String(piece)],
});

function send(stream: ServerHttp2Stream, bytes: number, piece: Buffer): void {
  for (let left = bytes; left > 0;) {
    const isTaken = stream.write(piece.subarray(0, left));
    left -= piece.length;
    if (!isTaken) return void stream.once("drain", () => send(stream, left, piece));
  }
  stream.end();
}
