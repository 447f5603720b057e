// The floor under git: what a person would type for the same answer, one command after the other, read to its end.
// `changes`: git diff --name-status, git ls-files --others. `diff PATH`: git show, cat, git diff.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as { directory: string };
const run = promisify(execFile);

serveJobs(async (program) => {
  const [what, path = ""] = argvOf(program);
  const commands =
    what === "changes"
      ? [
          ["git", "diff", "--name-status", "--find-renames", "-z", "HEAD"],
          ["git", "ls-files", "--others", "--exclude-standard", "-z"],
        ]
      : [
          ["git", "show", `HEAD:${path}`],
          ["cat", path],
          ["git", "diff", "HEAD", "--", path],
        ];
  let bytes = 0;
  for (const [file = "", ...args] of commands) {
    const { stdout } = await run(file, args, { cwd: settings.directory, maxBuffer: 1 << 28 });
    bytes += stdout.length;
  }
  return bytes;
});
