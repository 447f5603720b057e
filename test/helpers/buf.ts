import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Runs buf; rejects with what it printed if it fails. */
export async function buf(...args: string[]): Promise<string> {
  const program = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
  return await new Promise((resolve, reject) => {
    execFile(program, args, { encoding: "utf8" }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });
}
