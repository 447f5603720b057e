// The floor under a command's output: what a pipe brings is appended to a file, then written to a bare HTTP/2 stream. It
// holds the command back by the stream alone, and it has no record of what it wrote: nobody can come back for it. By itself:
// `npx node bench/floors/http2-output.ts [PROGRAM [ARGUMENT …]]`.
import { spawn } from "node:child_process";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listening, runFloor } from "../kit/floor.ts";
import { http2Commands } from "../kit/http2-commands.ts";
import { wideServer } from "../kit/wide-http2.ts";

await runFloor({
  serve({ directory = tmpdir() }) {
    const server = wideServer((stream, headers) => {
      const [program = "", ...args] = JSON.parse(String(headers["argv"])) as string[];
      const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
      const path = join(directory, `output-${child.pid}`);
      const file = openSync(path, "ax");
      // It is gone with the descriptor.
      unlinkSync(path);
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "exit-code": String(child.exitCode) }));
      for (const output of [child.stdout, child.stderr]) {
        output.on("data", (chunk: Buffer) => {
          // At once: a copy into the page cache takes less than the way to a thread and back.
          writeSync(file, chunk);
          if (stream.write(chunk)) return;
          output.pause();
          stream.once("drain", () => output.resume());
        });
      }
      child.once("close", () => {
        closeSync(file);
        stream.end();
      });
    });
    return listening(server);
  },
  connect: http2Commands,
  alone: (words) => (words.length > 0 ? words : ["head", "-c", String(2 ** 30), "/dev/zero"]),
});
