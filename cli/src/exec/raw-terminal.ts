import { spawnSync } from "node:child_process";
import { TerminalModes } from "./terminal-modes.ts";

/** This process's terminal, handed to a command: every key goes there, and what it prints is shown as it is. */
export class RawTerminal implements Disposable {
  readonly #modes = new TerminalModes();
  #isRaw = false;

  constructor() {
    // However this process ends, short of SIGKILL.
    process.on("exit", this.#restore);
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true);
    this.#isRaw = true;
    // Node leaves "\n" to be printed as "\r\n": a program that means to go straight down would go to the left as well.
    spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
  }

  /** How large it is. Undefined: there is no terminal to print to. */
  get size(): { readonly columns: number; readonly rows: number } | undefined {
    const { isTTY, columns, rows } = process.stdout;
    return isTTY && columns > 0 && rows > 0 ? { columns, rows } : undefined;
  }

  /** Takes note of what is printed on it. */
  scan(bytes: Uint8Array): void {
    this.#modes.scan(bytes);
  }

  /** What to print to clear it for a repaint. */
  clear(): string {
    return `${this.#modes.reset()}\u001b[H\u001b[2J`;
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#restore);
    this.#restore();
  }

  readonly #restore = (): void => {
    if (process.stdout.isTTY) process.stdout.write(this.#modes.reset());
    if (!this.#isRaw) return;
    this.#isRaw = false;
    process.stdin.setRawMode(false);
    process.stdin.pause();
  };
}
