#!/usr/bin/env node
// A committed file, because npm links no `bin` whose target is missing at install time, and dist/ is made later.
import { existsSync } from "node:fs";

const main = ["../dist/bundle/main.js", "../dist/main.js"]
  .map((path) => new URL(path, import.meta.url))
  .find(existsSync);
const source = new URL("../src/main.ts", import.meta.url);

const oldest = "22.13";
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const [oldestMajor = 0, oldestMinor = 0] = oldest.split(".").map(Number);

if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
  process.stderr.write(`yonder: Node ${oldest} or newer is needed, and this is ${process.versions.node}\n`);
  process.exitCode = 1;
} else if (main !== undefined) {
  await import(main.href);
} else if (existsSync(source)) {
  process.stderr.write("yonder: this checkout is not built yet; run `npm run build` in its root first\n");
  process.exitCode = 1;
} else {
  process.stderr.write(
    "yonder: this installation is incomplete (dist/main.js is missing); install the package again\n",
  );
  process.exitCode = 1;
}
