// The same as http2-files.ts with all that is known to make it faster: what has come is written many frames at a time and
// at once, and V8 is asked every 4 MiB to look at its young memory, where the frames have died, before it marks the whole
// heap for them. By itself: `npx node bench/floors/http2-files-tuned.ts put` (or get).
import { once } from "node:events";
import { closeSync, fsyncSync, openSync, statSync, writevSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { listening, runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";
import { writeRandomFile } from "../kit/random-file.ts";
import { sendFile } from "../kit/send-file.ts";
import { wideServer, wideSession } from "../kit/wide-http2.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options: { type: "minor" }) => void;
const pieceBytes = 256 << 10;

await runFloor({
  serve() {
    const server = wideServer((stream, headers) => {
      const path = decodeURIComponent(String(headers["file"]));
      if (headers[":method"] === "PUT")
        return void write(stream, path).then(() => stream.respond({}, { endStream: true }));
      stream.respond();
      void sendFile(path, stream);
    });
    return listening(server);
  },
  async connect(port) {
    const session = await wideSession(port);
    return async (program) => {
      const [verb, source = "", destination = ""] = argvOf(program);
      const isPut = verb === "put";
      const headers = { ":method": isPut ? "PUT" : "GET", file: encodeURIComponent(isPut ? destination : source) };
      const stream = session.request(headers, { endStream: !isPut });
      if (isPut) await Promise.all([once(stream, "response"), sendFile(source, stream)]);
      else await write(stream, destination);
      return statSync(source).size;
    };
  },
  alone: ([verb = "put"], path) => [verb, writeRandomFile(join(path, "source"), 2 ** 30), join(path, "copy")],
});

async function write(stream: Readable, path: string): Promise<void> {
  const file = openSync(path, "w");
  let [frames, bytes, pieces]: [Buffer[], number, number] = [[], 0, 0];
  stream.on("data", (frame: Buffer) => {
    frames.push(frame);
    if ((bytes += frame.length) < pieceBytes) return;
    writevSync(file, frames);
    [frames, bytes] = [[], 0];
    if (++pieces % 16 === 0) collect({ type: "minor" });
  });
  await once(stream, "end");
  if (bytes > 0) writevSync(file, frames);
  fsyncSync(file);
  closeSync(file);
}
