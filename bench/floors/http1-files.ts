// The floor under moving a file over HTTP/1.1: a bare request or response into a file and out of one, synced, over one
// connection that is kept. By itself: `npx node bench/floors/http1-files.ts put` (or get).
import { once } from "node:events";
import { createWriteStream, statSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { listening, runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";
import { writeRandomFile } from "../kit/random-file.ts";
import { sendFile } from "../kit/send-file.ts";

const highWaterMark = 256 << 10;

await runFloor({
  async serve() {
    const server = createServer((incoming, answer) => {
      const path = decodeURIComponent(String(incoming.headers["file"]));
      if (incoming.method === "PUT") void write(incoming, path).then(() => answer.end());
      else void sendFile(path, answer);
    });
    return await listening(server);
  },
  async connect(port) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return async (program) => {
      const [method = "", source = "", destination = ""] = argvOf(program);
      const isPut = method === "put";
      const file = encodeURIComponent(isPut ? destination : source);
      const outgoing = request({ host: "127.0.0.1", port, agent, method: method.toUpperCase(), headers: { file } });
      const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
      if (isPut) await sendFile(source, outgoing);
      else outgoing.end();
      const [answer] = await answered;
      if (isPut) await once(answer.resume(), "end");
      else await write(answer, destination);
      return statSync(source).size;
    };
  },
  alone: ([verb = "put"], directory) => [
    verb,
    writeRandomFile(join(directory, "source"), 2 ** 30),
    join(directory, "copy"),
  ],
});

function write(stream: IncomingMessage, path: string): Promise<void> {
  return pipeline(stream, createWriteStream(path, { highWaterMark, flush: true }));
}
