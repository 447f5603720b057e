import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export interface ShellOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Runs a program of the machine and answers what it printed; throws with its messages where it fails. */
export async function shell(program: string, args: readonly string[], options: ShellOptions = {}): Promise<string> {
  const { env, cwd, timeoutMs = 60_000 } = options;
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    cwd,
    timeout: timeoutMs,
  });
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code === 0) return stdout;
  const command = [program, ...args].join(" ").slice(0, 300);
  throw new Error(`${command} ended with ${code ?? signal}:\n${`${stdout}\n${stderr}`.trim().slice(-2_000)}`);
}

/** Whether the program is there and says so by its exit code. */
export async function works(program: string, args: readonly string[], env?: Record<string, string>): Promise<boolean> {
  return await shell(program, args, { ...(env && { env }), timeoutMs: 15_000 }).then(
    () => true,
    () => false,
  );
}
