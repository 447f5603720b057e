// The client of http2-server.ts: one warm connection, a stream a command, and its bytes counted as they come.
import { once } from "node:events";
import { connect } from "node:http2";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const windowBytes = 8 << 20;

const { port } = JSON.parse(process.argv[2] ?? "{}") as { port: number };
const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: windowBytes } });
await once(session, "connect");
session.setLocalWindowSize(windowBytes);

serveJobs(
  (program) =>
    new Promise((resolve, reject) => {
      const argv = argvOf(program);
      const stream = session.request({ ":path": "/", argv: JSON.stringify(argv) });
      let bytes = 0;
      let exitCode: unknown;
      stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
      stream.once("trailers", (trailers) => (exitCode = trailers["exit-code"]));
      stream.once("error", reject);
      stream.once("close", () => {
        if (exitCode === "0") resolve(bytes);
        else reject(new Error(`${argv[0]} ended with ${String(exitCode)}`));
      });
    }),
);
