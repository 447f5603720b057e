// The floor under moving a tree: tar-stream and node:fs on either end of a bare HTTP/2 stream. It keeps modes and times,
// checks nothing and replaces nothing in one step. By itself: `npx node bench/floors/http2-tree.ts put` (or get).
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join, relative } from "node:path";
import type { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import tar from "tar-stream";
import { listening, runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";
import { writeTree } from "../kit/random-tree.ts";
import { wideServer, wideSession } from "../kit/wide-http2.ts";

const server = wideServer((stream, headers) => {
  const path = String(headers["tree"]);
  if (headers[":method"] === "GET") return void pack(path, stream);
  void unpack(stream, path, true).then(() => stream.respond({ ":status": 200 }, { endStream: true }));
});

await runFloor({
  serve: () => listening(server),
  async connect(port) {
    const session = await wideSession(port);
    return async (program) => {
      const [verb, source = "", destination = ""] = argvOf(program);
      const isPut = verb === "put";
      const headers = { ":method": isPut ? "PUT" : "GET", tree: isPut ? destination : source };
      const stream = session.request(headers, { endStream: !isPut });
      await Promise.all([once(stream, "response"), isPut ? pack(source, stream) : unpack(stream, destination, false)]);
      return 0;
    };
  },
  alone: ([verb = "put"], directory) => [verb, writeTree(join(directory, "tree"), 10_000), join(directory, "copy")],
});

async function pack(root: string, to: Writable): Promise<void> {
  const packed = tar.pack();
  packed.pipe(to);
  for (const [index, entry] of fs.readdirSync(root, { recursive: true, withFileTypes: true }).entries()) {
    const path = join(entry.parentPath, entry.name);
    const { mode, mtime } = fs.statSync(path);
    const header = { name: relative(root, path), mode, mtime, type: entry.isFile() ? "file" : "directory" } as const;
    packed.entry(header, entry.isFile() ? fs.readFileSync(path) : "");
    if (index % 100 === 0) await setImmediate();
  }
  packed.finalize();
}

async function unpack(from: Readable, root: string, isSynced: boolean): Promise<void> {
  for await (const entry of from.pipe(tar.extract())) {
    const [path, content] = [join(root, entry.header.name), await buffer(entry)];
    if (entry.header.type === "directory") fs.mkdirSync(path, { recursive: true });
    else fs.writeFileSync(path, content, { mode: entry.header.mode });
    fs.utimesSync(path, entry.header.mtime, entry.header.mtime);
  }
  if (isSynced) spawnSync("sync", ["-f", root]);
}
