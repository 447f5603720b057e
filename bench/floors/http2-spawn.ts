// The floor under a remote command: a process's pipes into a bare HTTP/2 stream, and nothing in between. It keeps nothing,
// so it can replay nothing; what Yonder costs more is what its journal, its contract and its keys cost. By itself:
// `npx node bench/floors/http2-spawn.ts [PROGRAM [ARGUMENT …]]`.
import { spawn } from "node:child_process";
import { listening, runFloor } from "../kit/floor.ts";
import { http2Commands } from "../kit/http2-commands.ts";
import { wideServer } from "../kit/wide-http2.ts";

await runFloor({
  serve() {
    const server = wideServer((stream, headers) => {
      const [file = "", ...args] = JSON.parse(String(headers["argv"])) as string[];
      const child = spawn(file, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "exit-code": String(child.exitCode) }));
      child.stdout.pipe(stream, { end: false });
      child.stderr.pipe(stream, { end: false });
      child.once("close", () => stream.end());
    });
    return listening(server);
  },
  connect: http2Commands,
  alone: (words) => (words.length > 0 ? words : ["true"]),
});
