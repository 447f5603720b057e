import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** The command in a process of its own. */
export interface Yonder {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves to the URL that it says it listens on; rejects if it ends before. */
  readonly listening: () => Promise<string>;
  /** The exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

/** Runs `yonder` with these arguments; its environment is this process's without YONDER_*, and with `environment`. */
export function runYonder(args: readonly string[], environment: Record<string, string> = {}): Yonder {
  const child = spawn(process.execPath, [...command, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: yonderEnvironment(environment),
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal ?? 0));
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => void child.kill(signal),
    exited,
    listening: () =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const [, url] = /^yonder is listening on (\S+)\n/m.exec(stdout) ?? [];
          if (url !== undefined) resolve(url);
        };
        child.stdout.on("data", check);
        check();
        void exited.then((code) => reject(new Error(`yonder ended with ${code}: ${stderr}`)));
      }),
  };
}

/** The same with all three of its streams as pipes, for bytes. */
export function pipeYonder(
  args: readonly string[],
  environment: Record<string, string> = {},
): ChildProcessWithoutNullStreams & { readonly exited: Promise<number | NodeJS.Signals> } {
  const env = yonderEnvironment(environment);
  const child = spawn(process.execPath, [...command, ...args], { stdio: "pipe", env });
  onTestFinished(() => void child.kill("SIGKILL"));
  // Whoever ends the command may still write to it.
  child.stdin.on("error", () => {});
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal ?? 0));
  });
  return Object.assign(child, { exited });
}

/** What decides whether there are colours, beside the terminal. */
export const colourVariables = ["CI", "NO_COLOR", "FORCE_COLOR", "COLORTERM"];

/** This process's environment without YONDER_* and what says how to colour, and with `more`. */
export function yonderEnvironment(more: Record<string, string> = {}): Record<string, string | undefined> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("YONDER_") && !colourVariables.includes(name)),
  );
  return { ...inherited, NODE_COMPILE_CACHE: compileCache, ...more };
}

/** Half of a start is reading the sources. */
const compileCache = pathOf("../../.cache/compile");

/** How Node runs the command: from the sources where it can, else from what was built. */
export const command: readonly string[] = process.features.typescript
  ? ["--conditions=@yonder/source", pathOf("../../cli/src/main.ts")]
  : [pathOf("../../cli/bin/yonder.js")];

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
