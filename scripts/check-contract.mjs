// Checks proto/: format, lint, names that some language cannot have, no breaking change against the committed baseline,
// and that gen/src and the test vectors are what it generates.
// Everything is checked before it fails; nothing in the tree is touched.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nameProblems } from "./contract-names.mjs";
import { generate } from "./generate.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const baseline = "proto/baseline.binpb";

const failures = [
  run("format", ["format", "--diff", "--exit-code", "proto"], "npm run format"),
  run("lint", ["lint"]),
  checkNames(),
  checkBreaking(),
  checkGenerated(),
  checkVectors(),
].filter((failure) => failure !== undefined);

for (const failure of failures) console.error(`contract: ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function run(what, args, remedy) {
  const { status, error } = spawnSync("buf", args, { cwd: root, stdio: "inherit" });
  if (error) return `buf could not be started: ${error.message}; use \`npm run check:contract\``;
  if (status !== 0) return `${what} failed${remedy ? `; to fix it: ${remedy}` : ""}`;
}

function checkNames() {
  const { status, stdout } = spawnSync("buf", ["build", "proto", "--output", "-"], { cwd: root, maxBuffer: 1 << 26 });
  if (status !== 0) return "proto/ does not build";
  const problems = nameProblems(stdout);
  if (problems.length > 0) return `names that some language cannot have:\n  ${problems.join("\n  ")}`;
}

function checkBreaking() {
  if (!existsSync(join(root, baseline))) return `${baseline} is missing; \`npm run baseline\` makes it`;
  // A deliberate break renews the baseline with `npm run baseline`, and says so in the CHANGELOG.
  return run("breaking", ["breaking", "proto", "--against", baseline, "--config", "buf.yaml"]);
}

function checkGenerated() {
  const output = mkdtempSync(join(tmpdir(), "yonder-gen-"));
  try {
    generate(output);
    const [fresh, committed] = [join(output, "gen/src"), join(root, "gen/src")];
    const names = new Set([...files(fresh), ...files(committed)]);
    const stale = [...names].toSorted().filter((name) => read(join(fresh, name)) !== read(join(committed, name)));
    if (stale.length > 0) return `gen/src is stale; to fix it: npm run generate\n  ${stale.join("\n  ")}`;
  } catch (error) {
    return `generation failed: ${error.message}`;
  } finally {
    rmSync(output, { recursive: true });
  }
}

function checkVectors() {
  const args = ["--conditions=@yonder/source", "scripts/vectors.mjs", "--check"];
  const { status } = spawnSync("node", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) return "test/vectors is stale; to fix it: npm run generate";
}

function files(directory) {
  return readdirSync(directory, { recursive: true }).filter((name) => name.endsWith(".ts"));
}

function read(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
