// Run by `npm pack` in a workspace: builds it and copies in what lies in the root (the license, and for gen the protos).
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const workspace = process.cwd();

execFileSync("tsc", ["-b"], { cwd: workspace, stdio: ["ignore", 2, 2] });
if (basename(workspace) === "cli")
  execFileSync("node", [join(root, "scripts/bundle.mjs")], { stdio: ["ignore", 2, 2] });
cpSync(join(root, "LICENSE"), join(workspace, "LICENSE"));
if (basename(workspace) === "gen") {
  rmSync("proto", { recursive: true, force: true });
  cpSync(join(root, "proto"), "proto", { recursive: true, filter: (path) => !path.endsWith(".binpb") });
}
