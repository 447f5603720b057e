import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export interface RunResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and answers what it printed. */
export async function run(program: string, args: readonly string[], stdin = ""): Promise<RunResult> {
  const child = spawn(program, args, { stdio: "pipe" });
  child.stdin.on("error", () => {}).end(stdin);
  const exited = once(child, "exit") as Promise<[number | null]>;
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { exitCode, stdout, stderr };
}
