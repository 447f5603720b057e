// The floor under git: what a person would type for the same answer, one command after the other, read to its end.
// `changes`: git diff --name-status, git ls-files --others. `diff PATH`: git show, cat, git diff. By itself, in a repository:
// `npx node bench/floors/git-commands.ts changes` (or diff PATH).
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";

const run = promisify(execFile);

await runFloor({
  connect:
    async (_port, { directory = "." }) =>
    async (program) => {
      let bytes = 0;
      for (const [file = "", ...args] of commandsOf(argvOf(program))) {
        const { stdout } = await run(file, args, { cwd: directory, maxBuffer: 1 << 28 });
        bytes += stdout.length;
      }
      return bytes;
    },
  alone: (words) => (words.length > 0 ? words : ["changes"]),
});

function commandsOf([what, path = ""]: string[]): string[][] {
  if (what === "diff") {
    return [
      ["git", "show", `HEAD:${path}`],
      ["cat", path],
      ["git", "diff", "HEAD", "--", path],
    ];
  }
  return [
    ["git", "diff", "--name-status", "--find-renames", "-z", "HEAD"],
    ["git", "ls-files", "--others", "--exclude-standard", "-z"],
  ];
}
