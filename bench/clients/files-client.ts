// Moves files through the TypeScript client over one warm connection: `put LOCAL REMOTE`, `get REMOTE LOCAL`, and the same
// for trees, `put-tree` and `get-tree`.
import { statSync } from "node:fs";
import { RemoteWorkspace } from "@yonder/client";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as {
  host: string;
  apiKey: string;
  httpVersion: "1.1" | "2";
};
const workspace = await RemoteWorkspace.connect(settings);

serveJobs(async (program) => {
  const [verb, source = "", destination = ""] = argvOf(program);
  if (verb === "put-tree" || verb === "get-tree") {
    const options = { compare: "none" } as const;
    const report =
      verb === "put-tree"
        ? await workspace.fs.uploadTree(source, destination, options)
        : await workspace.fs.downloadTree(source, destination, options);
    return report.files;
  }
  const result =
    verb === "put"
      ? await workspace.fileUpload(source, destination)
      : await workspace.fileDownload(source, destination);
  if (!result.success) throw new Error(result.error ?? "failed");
  return verb === "put" ? (result.fileSize ?? 0) : statSync(destination).size;
});
