import { closeSync, constants, existsSync, fchownSync, fstatSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ReadStream } from "node:tty";
import { LimitExceeded, Unsupported } from "../../util/errors.ts";
import type { OutputSource, ProcessInput } from "../launcher.ts";
import type { TerminalSize } from "../spec.ts";
import { createTerminalInput } from "./terminal-input.ts";
import { createTerminalOutput } from "./terminal-output.ts";

/** A pseudo-terminal without a process. */
export interface Terminal {
  /** Its device, for the process to open. */
  readonly path: string;
  /** The process's end; the caller closes it once the process has it. */
  readonly processEnd: number;
  readonly output: OutputSource;
  readonly input: ProcessInput;
  resize(columns: number, rows: number): void;
}

/** What node-pty's addon has, without the classes around it. */
interface PtyAddon {
  open(columns: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(fd: number, columns: number, rows: number): void;
}

/**
 * Opens pseudo-terminals with node-pty's addon. Its own `spawn` is not used: it ends reading 200 ms after the process,
 * whether or not everything was read, keeps a thread for each, reports no error of the start, and cannot know about
 * control groups. Here a terminal is two descriptors, and its process starts as any other.
 */
export interface TerminalOpener {
  open(size: TerminalSize, owner: number | undefined): Promise<Terminal>;
  /** Our ends: the addon opens them without O_CLOEXEC, so a new child would inherit them. */
  readonly inheritable: ReadonlySet<number>;
}

/** Whether the addon was built; whether it loads is known only by loading it. */
export function hasTerminalAddon(): boolean {
  try {
    const home = dirname(createRequire(import.meta.url).resolve("node-pty/package.json"));
    const places = ["build/Release", "build/Debug", `prebuilds/${process.platform}-${process.arch}`];
    return places.some((place) => existsSync(join(home, place, "pty.node")));
  } catch {
    return false;
  }
}

export const TERMINAL_REMEDY =
  "Where the server is installed: apt-get install -y python3 make g++ && npm rebuild node-pty";

export function createTerminalOpener(): TerminalOpener {
  const inheritable = new Set<number>();
  let addon: Promise<PtyAddon> | undefined;
  return {
    inheritable,
    async open(size, owner) {
      addon ??= loadAddon();
      return openTerminal(await addon, size, owner, inheritable);
    },
  };
}

/** Why no terminal can be had, found out by opening one; empty where it can. */
export async function terminalProblem(terminals: TerminalOpener): Promise<string> {
  try {
    const terminal = await terminals.open({ columns: 80, rows: 24, terminalType: "dumb" }, undefined);
    closeSync(terminal.processEnd);
    terminal.output.destroy();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function loadAddon(): Promise<PtyAddon> {
  try {
    const loaded = (await import("node-pty")) as unknown as { native?: PtyAddon; default?: { native?: PtyAddon } };
    const addon = loaded.native ?? loaded.default?.native;
    if (addon === undefined) throw new Error("this node-pty has no addon");
    return addon;
  } catch (error) {
    throw new Unsupported(
      "TERMINAL_UNSUPPORTED",
      `This server has no terminals: node-pty cannot be loaded (${firstLine(error)}).`,
      {
        remedy: TERMINAL_REMEDY,
        cause: error,
      },
    );
  }
}

function openTerminal(
  addon: PtyAddon,
  size: TerminalSize,
  owner: number | undefined,
  inheritable: Set<number>,
): Terminal {
  const { master, slave, pty } = openPair(addon, size);
  const processEnd = openProcessEnd(master, slave, pty, owner);
  const socket = new ReadStream(master, { allowHalfOpen: true });
  inheritable.add(master);
  socket.once("close", () => inheritable.delete(master));
  return {
    path: pty,
    processEnd,
    output: createTerminalOutput(socket, master),
    input: createTerminalInput(master, () => socket.destroyed),
    resize(columns, rows) {
      if (!socket.destroyed) addon.resize(master, columns, rows);
    },
  };
}

/** The addon's own descriptor would be inherited by every child; one of Node's is closed on exec. */
function openProcessEnd(master: number, slave: number, path: string, owner: number | undefined): number {
  try {
    const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    // So that it can be opened by name, as tmux, ssh and gpg do. Its group lets write(1) in and stays.
    if (owner !== undefined) fchownSync(fd, owner, fstatSync(fd).gid);
    return fd;
  } catch (error) {
    closeSync(master);
    throw error;
  } finally {
    closeSync(slave);
  }
}

function openPair(addon: PtyAddon, size: TerminalSize): ReturnType<PtyAddon["open"]> {
  try {
    return addon.open(size.columns, size.rows);
  } catch (error) {
    throw new LimitExceeded("MACHINE_EXHAUSTED", `The machine has no terminal left: ${firstLine(error)}.`, {
      subject: "terminal",
      remedy: "Close other terminals, or raise /proc/sys/kernel/pty/max.",
      retryDelayMs: 1000,
      cause: error,
    });
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
}
