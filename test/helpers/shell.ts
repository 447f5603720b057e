import { spawn as spawnChild } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawn as spawnTerminal } from "node-pty";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "./file-server.ts";
import { colourVariables } from "./yonder.ts";

export interface ShellResult {
  /** The exit code, or the signal's name. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  /** Standard output byte for byte. */
  readonly bytes: Buffer;
  readonly stderr: string;
}

/** A person's shell, in a directory of its own, with `yonder` on its path and a workspace chosen. */
export interface Shell {
  readonly directory: string;
  /** Where the command keeps its state. */
  readonly stateHome: string;
  run(script: string, environment?: Record<string, string>): Promise<ShellResult>;
  /** The same, without waiting for its end. With "exec" before the command it is the process itself. */
  start(script: string, environment?: Record<string, string>): { child: ChildProcess; ended: Promise<ShellResult> };
  /** The same on a terminal of its own; resolves to all that it showed, and its exit code. */
  onTerminal(script: string, options?: TerminalOptions): Promise<{ screen: string; code: number }>;
}

export interface TerminalOptions {
  readonly columns?: number;
  readonly environment?: Record<string, string>;
  /** Called with all that was shown so far, and what types. */
  readonly onOutput?: (screen: string, type: (text: string) => void) => void;
}

export async function openShell(host: string): Promise<Shell> {
  const home = await temporaryDirectory();
  const [directory, bin, stateHome] = [join(home, "here"), join(home, "bin"), join(home, "state")];
  for (const each of [directory, bin]) mkdirSync(each);
  writeFileSync(join(bin, "yonder"), `#!/bin/sh\nexec ${[process.execPath, ...command].map(quoted).join(" ")} "$@"\n`);
  chmodSync(join(bin, "yonder"), 0o755);
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^YONDER_|PAGER$/.test(name) && !colourVariables.includes(name)),
  );
  const environmentOf = (own: Record<string, string> = {}): Record<string, string> => ({
    ...(inherited as Record<string, string>),
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    HOME: home,
    XDG_STATE_HOME: stateHome,
    YONDER_HOST: host,
    TERM: "xterm-256color",
    NODE_COMPILE_CACHE: pathOf("../../.cache/compile"),
    ...own,
  });
  const start: Shell["start"] = (script, environment) => {
    const child = spawnChild("bash", ["-c", script], {
      cwd: directory,
      env: environmentOf(environment),
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const pieces: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (piece: Buffer) => void pieces.push(piece));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = new Promise<ShellResult>((resolve) => {
      child.once("close", (code, signal) => {
        const bytes = Buffer.concat(pieces);
        resolve({ code: code ?? signal ?? 0, stdout: bytes.toString(), bytes, stderr });
      });
    });
    return { child, ended };
  };
  return {
    directory,
    stateHome,
    start,
    run: (script, environment) => start(script, environment).ended,
    onTerminal(script, { columns = 100, environment = {}, onOutput } = {}) {
      const env = environmentOf(environment);
      const terminal = spawnTerminal("bash", ["-c", script], { cols: columns, rows: 30, cwd: directory, env });
      onTestFinished(() => {
        try {
          terminal.kill("SIGKILL");
        } catch {
          // It has ended.
        }
      });
      let screen = "";
      return new Promise((resolve) => {
        terminal.onData((text) => {
          screen += text;
          onOutput?.(screen, (typed) => terminal.write(typed));
        });
        terminal.onExit(({ exitCode }) => resolve({ screen, code: exitCode }));
      });
    },
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

const command: readonly string[] = process.features.typescript
  ? ["--conditions=@yonder/source", pathOf("../../cli/src/main.ts")]
  : [pathOf("../../cli/bin/yonder.js")];

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
