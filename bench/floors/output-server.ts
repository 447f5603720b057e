// The floor under a command's output: what a pipe brings is appended to a file, then written to a bare HTTP/2 stream. It
// holds the command back by the stream alone, and it has no record of what it wrote: nobody can come back for it.
import { spawn } from "node:child_process";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** With HTTP/2's own 64 KiB the floor would be a floor of waiting. */
const windowBytes = 8 << 20;

const { directory } = JSON.parse(process.argv[2] ?? "{}") as { directory: string };
const server = createServer({ settings: { initialWindowSize: windowBytes } });
server.on("session", (session) => session.setLocalWindowSize(windowBytes));
server.on("stream", (stream, headers) => {
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

process.once("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
