// Runs commands through the TypeScript client over one warm connection, and reads them in the way `reader` says.
import { setTimeout as sleep } from "node:timers/promises";
import { RemoteWorkspace } from "@yonder/client";
import { argvOf } from "../kit/program.ts";
import type { Program } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

type Reader = "result" | "stream" | "unread" | "slow";

const { reader, ...settings } = JSON.parse(process.argv[2] ?? "{}") as {
  host: string;
  apiKey: string;
  reader: Reader;
};
const workspace = await RemoteWorkspace.connect(settings);

const readers: Record<Reader, (program: Program) => Promise<number>> = {
  /** As most users do: the result, with its text. */
  async result(program) {
    const result = await workspace.executeCommand("command" in program ? program.command : program.args);
    succeed(result.exitCode);
    return result.stdoutBytes.length;
  },
  stream: (program) => count(program, () => undefined),
  async unread(program) {
    const handle = await start(program);
    const end = await handle.wait();
    succeed(end.exitCode);
    return end.stdoutBytes;
  },
  /** The server has to keep what piles up; then the reader catches up, so that all of it has gone through. */
  slow: (program) => {
    const begin = performance.now();
    const isSlow = () => performance.now() - begin < 15_000;
    const bytesPerMs = (8 * 2 ** 20) / 1_000;
    return count(program, (bytes) => (isSlow() ? sleep(bytes / bytesPerMs) : undefined));
  },
};

serveJobs(readers[reader]);

async function count(program: Program, pause: (bytes: number) => Promise<void> | undefined): Promise<number> {
  const handle = await start(program);
  let bytes = 0;
  for await (const chunk of handle.stdout) {
    bytes += chunk.length;
    await pause(chunk.length);
  }
  succeed((await handle.wait()).exitCode);
  return bytes;
}

function start(program: Program) {
  return workspace.spawn("command" in program ? program.command : argvOf(program), { stdin: false });
}

function succeed(exitCode: number): void {
  if (exitCode !== 0) throw new Error(`the command ended with ${exitCode}`);
}
