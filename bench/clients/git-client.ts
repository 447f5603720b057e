// Asks for changes and diffs through the TypeScript client over one warm connection: `changes`, `diff PATH`.
import { RemoteWorkspace } from "@yonder/client";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const { changes: expected, ...settings } = JSON.parse(process.argv[2] ?? "{}") as {
  host: string;
  apiKey: string;
  changes: number;
};
const workspace = await RemoteWorkspace.connect(settings);

serveJobs(async (program) => {
  const [what, path = ""] = argvOf(program);
  if (what === "changes") {
    const changes = await workspace.gitChanges(".");
    if (changes.length !== expected) throw new Error(`${changes.length} changes, not ${expected}`);
    return changes.reduce((sum, change) => sum + change.path.length, 0);
  }
  const { original, modified, unifiedDiff } = await workspace.gitDiff(path);
  if (original === null || modified === null) throw new Error(`${path} has not two sides`);
  return original.length + modified.length + unifiedDiff.length;
});
