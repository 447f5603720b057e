// A tour of the contract with @grpc/grpc-js and the stock loader: no generated code at all.
import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";

const { YONDER_HOST = "http://127.0.0.1:8000", YONDER_API_KEY = "" } = process.env;
const { host, protocol } = new URL(YONDER_HOST);

const services = ["exec", "file", "git"].map((name) => `yonder/workspace/v1/${name}_service.proto`);
// Numbers of 64 bits as strings: a double has no room for them.
const definition = loadSync(services, {
  includeDirs: [join(import.meta.dirname, "../../proto")],
  keepCase: true,
  longs: String,
  enums: String,
  oneofs: true,
});
const { ExecService, FileService, GitService } = loadPackageDefinition(definition).yonder.workspace.v1;

const metadata = new Metadata();
metadata.set("authorization", `Bearer ${YONDER_API_KEY}`);

/** A client with a connection of its own. */
function connect(Service) {
  const security = protocol === "https:" ? credentials.createSsl() : credentials.createInsecure();
  return new Service(host, security, { "grpc.use_local_subchannel_pool": 1 });
}

/** A unary call as a promise. */
function call(client, method, request) {
  return promisify(client[method]).call(client, request, metadata);
}

/** What a stream of events said. A stream that ends without `ended`, which leaves the loops below, is a broken one. */
async function* eventsOf(stream) {
  try {
    for await (const { event } of stream) yield event;
    throw new Error("the stream broke");
  } finally {
    // Leaving the loop does not end the call by itself, and a connection with a call on it does not close.
    stream.on("error", () => {});
    stream.cancel();
  }
}

const exec = connect(ExecService);
const files = connect(FileService);
const directory = `tour-${randomUUID()}`;
const local = await mkdtemp(join(tmpdir(), "yonder-tour-"));
try {
  await talk();
  await cutAndGoOn();
  await upAndDown();
  await whatGitSays();
} finally {
  await rm(local, { recursive: true });
  await call(files, "Remove", { path: directory, recursive: true, missing_ok: true });
  exec.close();
  files.close();
}

async function talk() {
  console.log("1. What a command prints is seen as it is printed, so that it can be answered.");
  const exec_id = randomUUID();
  const command = 'echo "What is your name?"; read name; echo "Hello, $name."; exit 3';
  let answered = false;
  for await (const { output, ended } of eventsOf(exec.Exec({ exec_id, command, stdin: {} }, metadata))) {
    if (output) {
      process.stdout.write(output.data);
      if (!answered) await call(exec, "WriteStdin", { exec_id, data: Buffer.from("Yonder\n"), eof: true });
      answered = true;
    } else if (ended) {
      console.log(`exit code ${ended.exit_code}`);
      return;
    }
  }
}

async function cutAndGoOn() {
  console.log("2. A connection is cut in the midst of the output, and another one goes on.");
  const expected = createHash("sha256");
  for (let line = 1; line <= 200_000; line++) expected.update(`${line}\n`);

  const exec_id = randomUUID();
  const hash = createHash("sha256");
  let cursor = 0;
  const first = connect(ExecService);
  for await (const { output } of eventsOf(first.Exec({ exec_id, command: "seq 1 200000" }, metadata))) {
    if (!output) continue;
    hash.update(output.data);
    cursor += output.data.length;
    if (cursor >= 300_000) break;
  }
  first.close();

  const second = connect(ExecService);
  for await (const { output, ended } of eventsOf(second.Attach({ exec_id, cursor }, metadata))) {
    if (output) {
      if (Number(output.cursor) !== cursor) throw new Error(`a gap at ${cursor}`);
      hash.update(output.data);
      cursor += output.data.length;
    } else if (ended) {
      break;
    }
  }
  second.close();
  const isSame = hash.digest("hex") === expected.digest("hex");
  if (!isSame) throw new Error(`${cursor} bytes, and not those that were printed`);
  console.log(`${cursor} bytes, none lost`);
}

async function upAndDown() {
  console.log("3. A file goes up and comes down.");
  const [source, copy] = [join(local, "source"), join(local, "copy")];
  await writeFile(source, Buffer.alloc(3_000_000, "All work and no play makes a dull file. "));
  const digest = createHash("sha256");
  for await (const chunk of createReadStream(source)) digest.update(chunk);
  const sha256 = digest.digest();
  const path = `${directory}/file`;

  const reply = Promise.withResolvers();
  const upload = files.Upload(metadata, (error, answer) => (error ? reply.reject(error) : reply.resolve(answer)));
  const write = async (part) => {
    if (!upload.write(part)) await Promise.race([once(upload, "drain"), reply.promise]);
  };
  await write({ header: { path, size_bytes: 3_000_000, create_parents: true, sha256: true } });
  let [offset, whole] = [0, 0];
  for await (const data of createReadStream(source, { highWaterMark: 256 * 1024 })) {
    await write({ chunk: { offset, data, crc32: crc32(data) } });
    offset += data.length;
    whole = crc32(data, whole);
  }
  await write({ finish: { crc32: whole, sha256 } });
  upload.end();
  const { upload: done } = await reply.promise;
  if (!sha256.equals(done.sha256)) throw new Error("other bytes arrived than went up");
  console.log(`uploaded ${done.committed_bytes} bytes, digest checked`);

  const target = await open(copy, "w");
  const hash = createHash("sha256");
  for await (const { chunk, finished } of files.Download({ path, sha256: true }, metadata)) {
    if (chunk) {
      if (crc32(chunk.data) !== chunk.crc32) throw new Error("a chunk is corrupt");
      hash.update(chunk.data);
      await target.write(chunk.data, 0, chunk.data.length, Number(chunk.offset));
    } else if (finished) {
      const isSame = sha256.equals(finished.sha256) && sha256.equals(hash.digest());
      if (!isSame) throw new Error("other bytes came than went up");
      console.log(`downloaded ${finished.size_bytes} bytes, digest checked`);
    }
  }
  await target.close();
}

async function whatGitSays() {
  console.log("4. What git says.");
  const command = `git init -q . && echo 1 > changed.txt && echo 1 > gone.txt && git add . &&
    git -c user.name=T -c user.email=t@localhost commit -q -m first &&
    echo 2 > changed.txt && rm gone.txt && echo 1 > 'a new één.txt'`;
  const path = `${directory}/repository`;
  await call(files, "MakeDirectory", { path, parents: true });
  for await (const { output, ended } of eventsOf(exec.Exec({ command, working_directory: path }, metadata))) {
    if (output) process.stdout.write(output.data);
    if (ended) break;
  }
  const git = connect(GitService);
  const { changes } = await call(git, "ListChanges", { path });
  for (const { status, path: name } of changes) console.log(`${status.replace("GIT_CHANGE_STATUS_", "")} ${name}`);
  git.close();
}
