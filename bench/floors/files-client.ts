// The client of files-server.ts: `put LOCAL REMOTE` and `get REMOTE LOCAL` over one warm connection.
import { once } from "node:events";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { connect } from "node:http2";
import { pipeline } from "node:stream/promises";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const windowBytes = 8 << 20;
const highWaterMark = 256 << 10;

const { port } = JSON.parse(process.argv[2] ?? "{}") as { port: number };
const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: windowBytes } });
await once(session, "connect");
session.setLocalWindowSize(windowBytes);

serveJobs(async (program) => {
  const [verb, source = "", destination = ""] = argvOf(program);
  if (verb === "put") {
    const stream = session.request({ ":method": "PUT", ":path": "/", file: encodeURIComponent(destination) });
    const answered = once(stream, "response");
    createReadStream(source, { highWaterMark }).pipe(stream);
    await answered;
    stream.close();
    return statSync(source).size;
  }
  const stream = session.request({ ":method": "GET", ":path": "/", file: encodeURIComponent(source) });
  await pipeline(stream, createWriteStream(destination, { highWaterMark }));
  const handle = await open(destination, "r+");
  await handle.sync();
  await handle.close();
  return statSync(destination).size;
});
