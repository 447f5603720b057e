import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IPty } from "node-pty";
import { expect, onTestFinished } from "vitest";
import { temporaryDirectory } from "./certificates.ts";
import { patient } from "./time.ts";
import { command } from "./yonder.ts";

/** A shell on a terminal, and somebody who types lines that call `yonder`. */
export interface TypingShell {
  /** What `yonder` is called with once this line was typed and entered; nothing of it runs but completion. */
  readonly enter: (keys: string) => Promise<string[]>;
  /** All that the terminal showed. */
  readonly screen: () => string;
}

const shells = {
  bash: { args: ["--norc", "--noprofile", "-i"], load: "source <(env YONDER_REAL=1 yonder completion bash)" },
  zsh: {
    args: ["-f", "-i"],
    load: "autoload -Uz compinit; compinit -u -D; setopt no_beep; source <(env YONDER_REAL=1 yonder completion zsh)",
  },
  fish: { args: ["--no-config", "-i"], load: "env YONDER_REAL=1 yonder completion fish | source" },
} as const;

/** Starts a shell that has the script of `yonder completion`; ended when the test is over. */
export async function typingShell(shell: keyof typeof shells, env: Record<string, string>): Promise<TypingShell> {
  const home = await temporaryDirectory();
  const log = join(home, "calls");
  await writeFile(log, "");
  await writeFile(join(home, "yonder"), recorder(log), { mode: 0o755 });
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("YONDER_"));
  const { spawn } = await import("node-pty");
  const terminal: IPty = spawn(shell, [...shells[shell].args], {
    cols: 200,
    rows: 50,
    cwd: home,
    env: {
      ...Object.fromEntries(inherited),
      TERM: "dumb",
      HOME: home,
      PATH: `${home}:${process.env["PATH"]}`,
      XDG_CONFIG_HOME: join(home, ".config"),
      ...env,
    },
  });
  const exited = new Promise((resolve) => terminal.onExit(resolve));
  onTestFinished(async () => {
    terminal.kill("SIGKILL");
    await exited;
  });
  let screen = "";
  terminal.onData((data) => (screen += data));
  await expect.poll(() => screen, patient).not.toBe("");

  let calls = 0;
  const enter = async (keys: string): Promise<string[]> => {
    terminal.write(`${keys}\r`);
    const wanted = ++calls;
    const entered = async () => (await readFile(log, "utf8")).split("\n\n").slice(0, -1);
    await expect.poll(async () => (await entered()).length, patient).toBe(wanted);
    return (await entered()).at(-1)?.split("\n") ?? [];
  };
  await enter(`${shells[shell].load}; yonder ready`);
  return { enter, screen: () => screen };
}

/** What completion calls runs; of every other call it is written down with what: an argument a line, then an empty one. */
function recorder(log: string): string {
  const words = [process.execPath, ...command].map((word) => `'${word}'`).join(" ");
  return `#!/bin/sh
[ "$1" = __complete ] || [ -n "$YONDER_REAL" ] && exec ${words} "$@"
{ printf '%s\\n' "$@"; echo; } >> '${log}'
`;
}
