#!/usr/bin/env node
// A committed file, because npm links no `bin` whose target is missing at install time, and dist/ is made later.
import { existsSync } from "node:fs";

const main = ["../dist/bundle/main.js", "../dist/main.js"]
  .map((path) => new URL(path, import.meta.url))
  .find(existsSync);
const source = new URL("../src/main.ts", import.meta.url);

if (main !== undefined) {
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
