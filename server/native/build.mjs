// Compiles posix-spawn.c with the machine's C compiler, where it is not compiled yet: when the package is installed, and
// in a checkout with each build. Without a compiler the server starts processes by Node's own means, which takes longer.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const directory = dirname(fileURLToPath(import.meta.url));
const source = join(directory, "posix-spawn.c");
const target = join(directory, "build", "posix-spawn.node");
const stampFile = join(directory, "build", "stamp");

// Not there yet where only the packages' descriptions were copied into an image to install their dependencies.
if (existsSync(source) && process.platform !== "win32") build();

function build() {
  const stamp = [
    process.platform,
    process.arch,
    createHash("sha256").update(readFileSync(source)).digest("hex"),
  ].join();
  if (existsSync(target) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  const headers = headersDirectory();
  if (headers === undefined) return giveUp("the package node-api-headers is not installed");
  mkdirSync(dirname(target), { recursive: true });
  // Under another name first: a server may have the old one loaded.
  const fresh = `${target}.${process.pid}`;
  const undefinedSymbols = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
  const flags = ["-O2", "-Wall", "-shared", "-fPIC", "-fvisibility=hidden", ...undefinedSymbols, `-I${headers}`];
  const compiler = process.env["CC"] ?? "cc";
  const { status, stderr, error } = spawnSync(compiler, [...flags, source, "-o", fresh], { encoding: "utf8" });
  if (error !== undefined || status !== 0) return giveUp(error?.message ?? stderr.trim());
  renameSync(fresh, target);
  writeFileSync(stampFile, stamp);
}

function headersDirectory() {
  try {
    const require = createRequire(import.meta.url);
    return join(dirname(require.resolve("node-api-headers/package.json")), "include");
  } catch {
    return undefined;
  }
}

function giveUp(why) {
  process.stderr.write(`yonder: posix-spawn.c was not compiled, so commands take longer to start: ${why}\n`);
}
