import { createRequire } from "node:module";
import { dirname } from "node:path";

/** Where this package lies. Asked of Node, since its code may run from sources, as built, or within another's bundle. */
export const packageDirectory: string = dirname(createRequire(import.meta.url).resolve("@yonder/server/package.json"));
