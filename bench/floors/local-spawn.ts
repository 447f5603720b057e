// The floor under running a command: child_process.spawn in this very process, with the same pipes and a group of its
// own, as a server starts one. By itself: `npx node bench/floors/local-spawn.ts [PROGRAM [ARGUMENT …]]`.
import { spawn } from "node:child_process";
import { runFloor } from "../kit/floor.ts";
import { argvOf } from "../kit/program.ts";

await runFloor({
  connect: async () => (program) =>
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
  alone: (words) => (words.length > 0 ? words : ["true"]),
});
