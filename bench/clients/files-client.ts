// Moves files through the TypeScript client over one warm connection: `put LOCAL REMOTE`, `get REMOTE LOCAL`, which goes
// nowhere if LOCAL is empty, and the same for trees, `put-tree` and `get-tree`.
import { Writable } from "node:stream";
import { RemoteWorkspace } from "@yonder/client";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const { digest, ...settings } = JSON.parse(process.argv[2] ?? "{}") as {
  host: string;
  apiKey: string;
  httpVersion?: "1.1" | "2";
  digest?: "none" | "crc32" | "sha256";
};
const workspace = await RemoteWorkspace.connect(settings);

serveJobs(async (program) => {
  const [verb, source = "", destination = ""] = argvOf(program);
  const tree = { compare: "none" } as const;
  if (verb === "put-tree") return (await workspace.fs.uploadTree(source, destination, tree)).files;
  if (verb === "get-tree") return (await workspace.fs.downloadTree(source, destination, tree)).files;
  const result =
    verb === "put"
      ? await workspace.fileUpload(source, destination, { digest })
      : await workspace.fileDownload(source, destination === "" ? nowhere() : destination, { digest });
  if (!result.success) throw new Error(result.error ?? "failed");
  return result.fileSize ?? 0;
});

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
