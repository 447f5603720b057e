import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { BenchmarkContext } from "./benchmark.ts";
import { ownProcess } from "./own-process.ts";
import { profileFlags } from "./profile-flags.ts";
import { stopProcess } from "./stop-process.ts";

/** A `yonder serve`, built and with the defaults of a user's, that listens on a free port. */
export interface YonderServer {
  readonly pid: number;
  readonly host: string;
  readonly apiKey: string;
  /** Its workspace's directory: empty at first, and removed with the benchmark. */
  readonly workingDirectory: string;
  /** Milliseconds from before its start to its line that says where it listens. */
  readonly readyMs: number;
  /** Ends it before its scope does. */
  stop(): Promise<void>;
}

const yonder = fileURLToPath(new URL("../../cli/bin/yonder.js", import.meta.url));

/** Starts a server; it goes with the benchmark's scope. */
export async function startYonderServer(
  context: BenchmarkContext,
  { nodeFlags = [] }: { readonly nodeFlags?: readonly string[] } = {},
): Promise<YonderServer> {
  const directory = mkdtempSync(join(context.directory, "yonder-"));
  const [workingDirectory, stateDirectory, keyFile, logFile] = ["workspace", "state", "keys", "log"].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  mkdirSync(workingDirectory);
  const apiKey = randomBytes(24).toString("base64url");
  writeFileSync(keyFile, `sha256:${createHash("sha256").update(apiKey).digest("hex")}\n`, { mode: 0o600 });

  const log = openSync(logFile, "w");
  const args = [
    ...profileFlags(context, "yonder-serve"),
    ...nodeFlags,
    yonder,
    "serve",
    "--port=0",
    `--working-directory=${workingDirectory}`,
    `--state-directory=${stateDirectory}`,
    `--api-key-file=${keyFile}`,
  ];
  const begin = performance.now();
  const child = ownProcess(context, () => spawn(process.execPath, args, { stdio: ["ignore", "pipe", log] }));
  closeSync(log);
  const host = await listeningAddress(child, logFile);
  const readyMs = performance.now() - begin;
  return { pid: child.pid ?? 0, host, apiKey, workingDirectory, readyMs, stop: () => stopProcess(child) };
}

async function listeningAddress(child: ChildProcess, logFile: string): Promise<string> {
  if (child.stdout !== null) {
    for await (const line of createInterface({ input: child.stdout })) {
      const found = /http:\/\/\S+/.exec(line);
      if (found !== null) return found[0];
    }
  }
  throw new Error(`the server ended before it listened:\n${readFileSync(logFile, "utf8")}`);
}
