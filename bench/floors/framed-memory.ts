// The floor under bytes in memory with gRPC's framing and protobuf's around them, written and read by hand and without
// copies. By itself: `npx node bench/floors/framed-memory.ts [BYTES] [BYTES OF A PIECE]`.
import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { listening, runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";
import { wideServer, wideSession } from "../kit/wide-http2.ts";

/** A byte of flags and four of length, then a field's tag and its length in a varint of four bytes. */
const headBytes = 5 + 1 + 4;

await runFloor({
  serve() {
    const server = wideServer((stream, headers) => {
      stream.respond({ ":status": 200 });
      const piece = Number(headers["piece"]);
      const head = Buffer.of(0, 0, 0, 0, 0, 0x0a, 0x80, 0x80, 0x80, 0);
      head.writeUInt32BE(piece + 5, 1);
      for (let at = 0; at < 4; at++) head[6 + at] = ((piece >> (7 * at)) & 0x7f) | (at < 3 ? 0x80 : 0);
      send(stream, Number(headers["bytes"]) / piece, head, Buffer.alloc(piece, 7));
    });
    return listening(server);
  },
  async connect(port) {
    const session = await wideSession(port);
    return async (program) => {
      const [, bytes = "0", piece = "0"] = argvOf(program);
      const stream = session.request({ ":path": "/", bytes, piece });
      const head = Buffer.alloc(headBytes);
      let [received, filled, left] = [0, 0, 0];
      stream.on("data", (chunk: Buffer) => {
        for (let at = 0; at < chunk.length;) {
          const taken = left > 0 ? chunk.subarray(at, at + left).length : chunk.copy(head, filled, at);
          at += taken;
          if (left > 0) [received, left] = [received + taken, left - taken];
          else if ((filled += taken) === headBytes) [left, filled] = [head.readUInt32BE(1) - 5, 0];
        }
      });
      await once(stream, "close");
      return received;
    };
  },
  alone: ([bytes = 2 ** 30, piece = 512 * 1024]) => ["get", String(bytes), String(piece)],
});

function send(stream: ServerHttp2Stream, pieces: number, head: Buffer, piece: Buffer): void {
  for (let left = pieces; left > 0; left--) {
    stream.cork();
    stream.write(head);
    const isTaken = stream.write(piece);
    stream.uncork();
    if (!isTaken) return void stream.once("drain", () => send(stream, left - 1, head, piece));
  }
  stream.end();
}
