// What people use instead: `ssh host command`, a process a command, over a connection that stands already.
import { spawn } from "node:child_process";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const { sshArguments } = JSON.parse(process.argv[2] ?? "{}") as { sshArguments: string[] };

serveJobs(
  (program) =>
    new Promise((resolve, reject) => {
      const child = spawn("ssh", [...sshArguments, argvOf(program).map(quote).join(" ")], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let bytes = 0;
      child.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
      child.once("error", reject);
      child.once("close", (code, signal) => {
        if (code === 0) resolve(bytes);
        else reject(new Error(`ssh ended with ${signal ?? code}`));
      });
    }),
);

/** The far side is a shell, whatever is sent. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
