// Makes the command one program, cli/dist/bundle or the directory that is named: a start reads a few files instead of
// 480, one after the other. What is compiled on the machine or is a program of its own stays outside.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

const cli = fileURLToPath(new URL("../cli/", import.meta.url));
const dir = process.argv[2] ?? `${cli}dist/bundle`;
const fresh = `${dir}.${process.pid}`;

await build({
  input: `${cli}src/main.ts`,
  platform: "node",
  external: ["node-pty"],
  resolve: { conditionNames: ["@yonder/source", "node"] },
  // The oldest Node of `engines` knows no `using`.
  transform: { target: "es2023" },
  logLevel: "warn",
  output: { dir: fresh, format: "esm", sourcemap: true, chunkFileNames: "[name]-[hash].js" },
});

// Programs that run load parts of it later: what has not changed is left as it is.
if (!isSame(fresh, dir)) {
  rmSync(dir, { recursive: true, force: true });
  renameSync(fresh, dir);
}
rmSync(fresh, { recursive: true, force: true });

function isSame(one, other) {
  if (!existsSync(other)) return false;
  const files = readdirSync(one);
  return (
    files.length === readdirSync(other).length &&
    files.every(
      (file) => existsSync(join(other, file)) && readFileSync(join(one, file)).equals(readFileSync(join(other, file))),
    )
  );
}
