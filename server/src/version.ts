import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageDirectory } from "./util/package-directory.ts";

/** The server's version, as in its package. */
export const version: string = (
  JSON.parse(readFileSync(join(packageDirectory, "package.json"), "utf8")) as { version: string }
).version;
