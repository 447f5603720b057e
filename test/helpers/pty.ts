import { spawn } from "node-pty";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";
import { command, yonderEnvironment } from "./yonder.ts";

/** The command on a terminal of its own. */
export interface PtyYonder {
  readonly pid: number;
  /** All that it has printed, as it came. */
  readonly printed: () => string;
  readonly type: (text: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Waits until it has printed something. */
  readonly shows: (what: string | RegExp) => Promise<void>;
  readonly exited: Promise<{ readonly exitCode: number; readonly signal?: number }>;
}

/** Runs `yonder` with these arguments on a terminal; environment as `runYonder` has it. */
export function ptyYonder(
  args: readonly string[],
  environment: Record<string, string> = {},
  { columns = 80, rows = 24 }: { columns?: number; rows?: number } = {},
): PtyYonder {
  const env = { ...yonderEnvironment(environment), TERM: environment["TERM"] ?? "xterm-256color" };
  const pty = spawn(process.execPath, [...command, ...args], { cols: columns, rows, env });
  let printed = "";
  pty.onData((text) => (printed += text));
  const exited = new Promise<{ exitCode: number; signal?: number }>((resolve) => pty.onExit(resolve));
  onTestFinished(() => {
    try {
      pty.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  });
  return {
    pid: pty.pid,
    printed: () => printed,
    type: (text) => pty.write(text),
    resize: (columns, rows) => pty.resize(columns, rows),
    kill: (signal) => pty.kill(signal),
    shows: async (what) => {
      await until(() => (typeof what === "string" ? printed.includes(what) : what.test(printed)));
    },
    exited,
  };
}
