// The floor under moving a file: a bare HTTP/2 stream into a file and out of one, synced, and nothing in between. It checks
// nothing, resumes nothing and replaces files in place. By itself: `npx node bench/floors/http2-files.ts put` (or get).
import { once } from "node:events";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { connect, createServer } from "node:http2";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { listening, runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";
import { writeRandomFile } from "../kit/random-file.ts";

const windowBytes = 8 << 20;
const highWaterMark = 256 << 10;
const settings = { initialWindowSize: windowBytes };

await runFloor({
  async serve() {
    const server = createServer({ settings });
    server.on("session", (session) => session.setLocalWindowSize(windowBytes));
    server.on("stream", (stream, headers) => {
      const path = decodeURIComponent(String(headers["file"]));
      if (headers[":method"] === "PUT") {
        void write(stream, path).then(() => stream.respond({ ":status": 200 }, { endStream: true }));
        return;
      }
      stream.respond({ ":status": 200 });
      createReadStream(path, { highWaterMark }).pipe(stream);
    });
    return await listening(server);
  },
  async connect(port) {
    const session = connect(`http://127.0.0.1:${port}`, { settings });
    await once(session, "connect");
    session.setLocalWindowSize(windowBytes);
    return async (program) => {
      const [verb, source = "", destination = ""] = argvOf(program);
      const isPut = verb === "put";
      const file = encodeURIComponent(isPut ? destination : source);
      const stream = session.request({ ":method": isPut ? "PUT" : "GET", ":path": "/", file }, { endStream: !isPut });
      if (!isPut) await write(stream, destination);
      else await Promise.all([once(stream, "response"), pipeline(createReadStream(source, { highWaterMark }), stream)]);
      return statSync(source).size;
    };
  },
  alone: ([verb = "put"], directory) => [
    verb,
    writeRandomFile(join(directory, "source"), 2 ** 30),
    join(directory, "copy"),
  ],
});

function write(stream: Readable, path: string): Promise<void> {
  return pipeline(stream, createWriteStream(path, { highWaterMark, flush: true }));
}
