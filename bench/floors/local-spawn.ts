// The floor under running a command: child_process.spawn in this very process, with the same pipes and a group of its
// own, as a server starts one.
import { spawn } from "node:child_process";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

serveJobs(
  (program) =>
    new Promise((resolve, reject) => {
      const [file = "", ...args] = argvOf(program);
      const child = spawn(file, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
      let bytes = 0;
      child.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
      child.stderr.on("data", (chunk: Buffer) => (bytes += chunk.length));
      child.once("error", reject);
      child.once("close", (code, signal) => {
        if (code === 0) resolve(bytes);
        else reject(new Error(`${file} ended with ${signal ?? code}`));
      });
    }),
);
