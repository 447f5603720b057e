// A tour of the contract on its generated stubs alone: Connect's client for Node, speaking gRPC.
import { createClient } from "@connectrpc/connect";
import { Http2SessionManager, createGrpcTransport } from "@connectrpc/connect-node";
import { ExecService, FileService, GitChangeStatus, GitService } from "@yonder/proto";
import type { ExecEvent, UploadRequestSchema } from "@yonder/proto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";

const { YONDER_HOST: baseUrl = "http://127.0.0.1:8000", YONDER_API_KEY: apiKey = "" } = process.env;

/** A connection of its own, and what cuts it. */
function connect() {
  const connection = new Http2SessionManager(baseUrl);
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager: connection,
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${apiKey}`);
        return next(request);
      },
    ],
  });
  return {
    exec: createClient(ExecService, transport),
    files: createClient(FileService, transport),
    git: createClient(GitService, transport),
    cut: () => connection.abort(),
  };
}

/** What a stream of events said, without what is only there to keep it open. */
async function* eventsOf(stream: AsyncIterable<{ event?: ExecEvent | undefined }>) {
  for await (const { event } of stream) {
    if (event?.event.case !== undefined) yield event.event;
  }
  // A stream that ends without `ended`, which returns from the loops below, is a broken one.
  throw new Error("the stream broke");
}

const { exec, files, git, cut } = connect();
const directory = `tour-${randomUUID()}`;
const local = await mkdtemp(join(tmpdir(), "yonder-tour-"));
try {
  await talk();
  await cutAndGoOn();
  await upAndDown();
  await whatGitSays();
} finally {
  await rm(local, { recursive: true });
  await files.remove({ path: directory, recursive: true, missingOk: true });
  cut();
}

async function talk(): Promise<void> {
  console.log("1. What a command prints is seen as it is printed, so that it can be answered.");
  const execId = randomUUID();
  const stream = exec.exec({
    execId,
    program: { case: "command", value: 'echo "What is your name?"; read name; echo "Hello, $name."; exit 3' },
    stdin: {},
  });
  let answered = false;
  for await (const event of eventsOf(stream)) {
    if (event.case === "output") {
      process.stdout.write(event.value.data);
      if (!answered) await exec.writeStdin({ execId, data: new TextEncoder().encode("Yonder\n"), eof: true });
      answered = true;
    } else if (event.case === "ended") {
      console.log(`exit code ${event.value.exitCode}`);
      return;
    }
  }
}

async function cutAndGoOn(): Promise<void> {
  console.log("2. A connection is cut in the midst of the output, and another one goes on.");
  const expected = createHash("sha256");
  for (let line = 1; line <= 200_000; line++) expected.update(`${line}\n`);

  const execId = randomUUID();
  const hash = createHash("sha256");
  let cursor = 0n;
  const first = connect();
  const stream = first.exec.exec({ execId, program: { case: "command", value: "seq 1 200000" } });
  for await (const event of eventsOf(stream)) {
    if (event.case !== "output") continue;
    hash.update(event.value.data);
    cursor += BigInt(event.value.data.length);
    if (cursor >= 300_000n) break;
  }
  first.cut();

  const second = connect();
  const rest = second.exec.attach({ execId, start: { case: "cursor", value: cursor } });
  for await (const event of eventsOf(rest)) {
    if (event.case === "output") {
      if (event.value.cursor !== cursor) throw new Error(`a gap at ${cursor}`);
      hash.update(event.value.data);
      cursor += BigInt(event.value.data.length);
    } else if (event.case === "ended") {
      break;
    }
  }
  second.cut();
  const isSame = hash.digest("hex") === expected.digest("hex");
  if (!isSame) throw new Error(`${cursor} bytes, and not those that were printed`);
  console.log(`${cursor} bytes, none lost`);
}

async function upAndDown(): Promise<void> {
  console.log("3. A file goes up and comes down.");
  const [source, copy] = [join(local, "source"), join(local, "copy")];
  await writeFile(source, Buffer.alloc(3_000_000, "All work and no play makes a dull file. "));
  const digest = createHash("sha256");
  for await (const chunk of createReadStream(source)) digest.update(chunk as Buffer);
  const sha256 = digest.digest();
  const path = `${directory}/file`;

  async function* parts(): AsyncGenerator<MessageInitShape<typeof UploadRequestSchema>> {
    const header = { path, sizeBytes: 3_000_000n, createParents: true, sha256: true };
    yield { part: { case: "header", value: header } };
    let [offset, whole] = [0, 0];
    for await (const data of createReadStream(source, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
      yield { part: { case: "chunk", value: { offset: BigInt(offset), data, crc32: crc32(data) } } };
      offset += data.length;
      whole = crc32(data, whole);
    }
    yield { part: { case: "finish", value: { crc32: whole, sha256 } } };
  }
  const { upload } = await files.upload(parts());
  if (upload === undefined || !sha256.equals(upload.sha256)) throw new Error("other bytes arrived than went up");
  console.log(`uploaded ${upload.committedBytes} bytes, digest checked`);

  const target = await open(copy, "w");
  const hash = createHash("sha256");
  for await (const { part } of files.download({ path, sha256: true })) {
    if (part.case === "chunk") {
      if (crc32(part.value.data) !== part.value.crc32) throw new Error("a chunk is corrupt");
      hash.update(part.value.data);
      await target.write(part.value.data, 0, part.value.data.length, Number(part.value.offset));
    } else if (part.case === "finished") {
      const isSame = sha256.equals(part.value.sha256) && sha256.equals(hash.digest());
      if (!isSame) throw new Error("other bytes came than went up");
      console.log(`downloaded ${part.value.sizeBytes} bytes, digest checked`);
    }
  }
  await target.close();
}

async function whatGitSays(): Promise<void> {
  console.log("4. What git says.");
  const prepare = `git init -q . && echo 1 > changed.txt && echo 1 > gone.txt && git add . &&
    git -c user.name=T -c user.email=t@localhost commit -q -m first &&
    echo 2 > changed.txt && rm gone.txt && echo 1 > 'a new één.txt'`;
  const path = `${directory}/repository`;
  await files.makeDirectory({ path, parents: true });
  const stream = exec.exec({ program: { case: "command", value: prepare }, workingDirectory: path });
  for await (const event of eventsOf(stream)) {
    if (event.case === "output") process.stdout.write(event.value.data);
    if (event.case === "ended") break;
  }
  const { changes } = await git.listChanges({ path });
  const nameOf = (status: GitChangeStatus) =>
    Object.entries(GitChangeStatus).find(([, value]) => value === status)?.[0] ?? String(status);
  for (const change of changes) console.log(`${nameOf(change.status)} ${change.path}`);
}
