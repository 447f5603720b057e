// What a newcomer does: clones the project and follows README from top to bottom, as it is written. The commands of its
// first block run in the clone; the rest of the page is run there by its own test. Takes as long as all tests do.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const clone = mkdtempSync(join(tmpdir(), "yonder-newcomer-"));
process.on("exit", () => rmSync(clone, { recursive: true, force: true }));

run(`git clone --quiet ${root} ${clone}`, root);
const [, first] = /```sh\n([^]*?)```/.exec(readFileSync(join(clone, "README.md"), "utf8")) ?? [];
if (first === undefined) throw new Error("README has no commands");
for (const command of first.trim().split("\n")) run(command, clone);
run("npm run docs:test -- -t README", clone);

function run(command, cwd) {
  console.log(`\n$ ${command}`);
  // As on a machine of his own: none of this checkout's programs is in the PATH.
  const path = process.env.PATH.split(":").filter((directory) => !directory.startsWith(join(root, "node_modules")));
  const env = { ...process.env, PATH: path.join(":") };
  const { status } = spawnSync("bash", ["-c", command], { cwd, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
