// The floor under a remote command: a process's pipes into a bare HTTP/2 stream, and nothing in between. It keeps
// nothing, so it can replay nothing; what Yonder costs more is what its journal, its contract and its keys cost.
import { spawn } from "node:child_process";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";

/** With HTTP/2's own 64 KiB the floor would be a floor of waiting. */
const windowBytes = 8 << 20;

const server = createServer({ settings: { initialWindowSize: windowBytes } });
server.on("session", (session) => session.setLocalWindowSize(windowBytes));
server.on("stream", (stream, headers) => {
  const [file = "", ...args] = JSON.parse(String(headers["argv"])) as string[];
  const child = spawn(file, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  stream.respond({ ":status": 200 }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "exit-code": String(child.exitCode) }));
  child.stdout.pipe(stream, { end: false });
  child.stderr.pipe(stream, { end: false });
  child.once("close", () => stream.end());
});

process.once("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
