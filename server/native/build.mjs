// Compiles what is in C with the machine's compiler, where it is not compiled yet: when the package is installed, and in a
// checkout with each build. Without a compiler the server starts processes and reads files by Node's own means, which
// takes longer.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const directory = dirname(fileURLToPath(import.meta.url));
const names = ["posix-spawn", "read-cached"];

for (const name of names) {
  // Not there yet where only the packages' descriptions were copied into an image to install their dependencies.
  if (existsSync(sourceOf(name)) && process.platform !== "win32") build(name);
}

function build(name) {
  const target = join(directory, "build", `${name}.node`);
  const stampFile = join(directory, "build", `${name}.stamp`);
  const source = sourceOf(name);
  const stamp = [
    process.platform,
    process.arch,
    createHash("sha256").update(readFileSync(source)).digest("hex"),
  ].join();
  if (existsSync(target) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  const headers = headersDirectory();
  if (headers === undefined) return giveUp(name, "the package node-api-headers is not installed");
  mkdirSync(dirname(target), { recursive: true });
  // Under another name first: a server may have the old one loaded.
  const fresh = `${target}.${process.pid}`;
  const undefinedSymbols = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
  const flags = ["-O2", "-Wall", "-shared", "-fPIC", "-fvisibility=hidden", ...undefinedSymbols, `-I${headers}`];
  const compiler = process.env["CC"] ?? "cc";
  const { status, stderr, error } = spawnSync(compiler, [...flags, source, "-o", fresh], { encoding: "utf8" });
  if (error !== undefined || status !== 0) return giveUp(name, error?.message ?? stderr.trim());
  renameSync(fresh, target);
  writeFileSync(stampFile, stamp);
}

function sourceOf(name) {
  return join(directory, `${name}.c`);
}

function headersDirectory() {
  try {
    const require = createRequire(import.meta.url);
    return join(dirname(require.resolve("node-api-headers/package.json")), "include");
  } catch {
    return undefined;
  }
}

function giveUp(name, why) {
  process.stderr.write(`yonder: ${name}.c was not compiled, so the server takes longer for some things: ${why}\n`);
}
