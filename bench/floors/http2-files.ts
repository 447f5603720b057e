// The floor under moving a file: a bare HTTP/2 stream into a file and out of one, synced, and nothing in between. It checks
// nothing, resumes nothing and replaces files in place. By itself: `npx node bench/floors/http2-files.ts put` (or get).
import { once } from "node:events";
import { createWriteStream, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { listening, runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";
import { writeRandomFile } from "../kit/random-file.ts";
import { sendFile } from "../kit/send-file.ts";
import { wideServer, wideSession } from "../kit/wide-http2.ts";

const highWaterMark = 256 << 10;

await runFloor({
  serve(settings) {
    const server = wideServer((stream, headers) => {
      const path = decodeURIComponent(String(headers["file"]));
      if (headers[":method"] === "PUT") {
        void write(stream, path).then(() => stream.respond({ ":status": 200 }, { endStream: true }));
        return;
      }
      stream.respond({ ":status": 200 });
      void sendFile(path, stream);
    }, settings);
    return listening(server);
  },
  async connect(port, settings) {
    const session = await wideSession(port, settings);
    return async (program) => {
      const [verb, source = "", destination = ""] = argvOf(program);
      const isPut = verb === "put";
      const file = encodeURIComponent(isPut ? destination : source);
      const stream = session.request({ ":method": isPut ? "PUT" : "GET", ":path": "/", file }, { endStream: !isPut });
      if (!isPut) await write(stream, destination);
      else await Promise.all([once(stream, "response"), sendFile(source, stream)]);
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
