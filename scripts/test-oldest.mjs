// Runs a part of the suite on the oldest Node that the packages promise to work on (`engines`). That Node comes from
// the npm package `node` into .cache/, once. Arguments replace the part that is run by default.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const version = "22.13.0";
const parts = [
  // What the bodies have of their own is in test/client.
  "test/contract/http",
  "test/client",
  "test/server",
  "test/cli/serve",
  "test/cli/usage",
  "test/cli/ps",
  "test/cli/exec",
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, ".cache", `node-${version}`);
const bin = join(cache, "node_modules/node/bin");

if (!existsSync(join(bin, "node"))) fetchNode();

const filters = process.argv.length > 2 ? process.argv.slice(2) : parts;
const { status } = spawnSync(
  join(bin, "node"),
  ["node_modules/vitest/vitest.mjs", "run", ...filters, "--outputFile.json=.reports/oldest.json"],
  {
    cwd: root,
    stdio: "inherit",
    // For the programs that tests start as `node`.
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  },
);
process.exitCode = status ?? 1;

function fetchNode() {
  console.error(`test:oldest: fetching Node ${version} …`);
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  // A package of its own, or npm would install into the workspace's root.
  writeFileSync(join(cache, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }));
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", `node@${version}`];
  const { status } = spawnSync("npm", args, { cwd: cache, stdio: ["ignore", 2, 2] });
  if (status !== 0 || !existsSync(join(bin, "node"))) {
    console.error(`test:oldest: node@${version} could not be installed into ${cache}`);
    process.exit(1);
  }
}
