import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";
import { command, yonderEnvironment } from "./yonder.ts";

const run = promisify(execFile);
/** Well within a test's own limit. */
const patienceMs = 30_000;

/** A terminal as a person has it: tmux with bash in it, in which `yonder` is the command under test. */
export class Tmux {
  readonly #socket = `yonder-${randomUUID()}`;

  /** What the screen shows, a line each, without what is empty at the ends. */
  async lines(): Promise<string[]> {
    const { stdout } = await this.#tmux("capture-pane", "-p");
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.trimEnd());
  }

  async screen(): Promise<string> {
    return (await this.lines()).join("\n");
  }

  /** Waits until the screen shows something; says what it shows if that takes too long. */
  async shows(what: string | RegExp): Promise<void> {
    const deadline = performance.now() + patienceMs;
    let screen = "";
    await until(async () => {
      screen = await this.screen();
      if (performance.now() > deadline) throw new Error(`the screen shows no ${what}:\n${screen}`);
      return typeof what === "string" ? screen.includes(what) : what.test(screen);
    });
  }

  /** Types a text, to the letter. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", text);
  }

  /** Presses keys by their names: "Enter", "C-c". */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Types a line and Enter. */
  async enter(line: string): Promise<void> {
    await this.type(line);
    await this.press("Enter");
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** A sum of how bash's terminal is set, as stty has it. Only where nothing else runs in it. */
  async settings(): Promise<string> {
    const mark = randomUUID().slice(0, 8);
    await this.enter(`clear; echo ''${mark} $(stty -g | cksum)`);
    await this.shows(new RegExp(`^${mark} \\d+ \\d+$`, "m"));
    return (await this.lines()).find((line) => line.startsWith(mark))?.slice(mark.length) ?? "";
  }

  /** What tmux knows of it, by the name of a variable of its formats. */
  async variable(name: string): Promise<string> {
    return (await this.#tmux("display-message", "-p", `#{${name}}`)).stdout.trim();
  }

  /** The ids of the processes that run in it with such a command line. */
  async processes(pattern: string): Promise<number[]> {
    const tty = await this.variable("pane_tty");
    const { stdout } = await run("ps", ["-t", tty.replace("/dev/", ""), "-o", "pid=,args="]);
    return stdout
      .split("\n")
      .filter((line) => line.includes(pattern))
      .map((line) => Number.parseInt(line, 10));
  }

  async start(environment: Record<string, string>): Promise<void> {
    const words = [process.execPath, ...command].map((word) => `'${word}'`).join(" ");
    const bash = ["bash", "--norc", "--noprofile", "-i"];
    const env = { ...yonderEnvironment(environment), PS1: "here> ", TERM: "xterm-256color", HISTFILE: "" };
    await run("tmux", ["-L", this.#socket, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", ...bash], {
      env: env,
    });
    await this.enter(`yonder() { ${words} "$@"; }; PS1='here> '; clear`);
    await this.shows(/^here>$/m);
  }

  async end(): Promise<void> {
    await this.#tmux("kill-server").catch(() => {});
  }

  async #tmux(...args: string[]): Promise<{ stdout: string }> {
    return await run("tmux", ["-L", this.#socket, ...args]);
  }
}

/** Opens one, which is ended with the test. */
export async function tmux(environment: Record<string, string> = {}): Promise<Tmux> {
  const terminal = new Tmux();
  onTestFinished(() => terminal.end());
  await terminal.start(environment);
  return terminal;
}
