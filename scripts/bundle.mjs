// Makes the command one program, cli/dist/bundle or the directory that is named: a start reads a few files instead of
// 480, one after the other. What is compiled on the machine or is a program of its own stays outside.
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

const cli = fileURLToPath(new URL("../cli/", import.meta.url));
const dir = process.argv[2] ?? `${cli}dist/bundle`;

rmSync(dir, { recursive: true, force: true });
await build({
  input: `${cli}src/main.ts`,
  platform: "node",
  external: ["node-pty"],
  resolve: { conditionNames: ["@yonder/source", "node"] },
  logLevel: "warn",
  output: { dir, format: "esm", sourcemap: true, chunkFileNames: "[name]-[hash].js" },
});
