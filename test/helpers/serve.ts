import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { holdPort } from "./hold-port.ts";
import { until } from "./until.ts";

export interface ServeOptions {
  /** Flags of `yonder serve` beside those for the address and the directories, for example "--exec-retention=200ms". */
  readonly flags?: readonly string[];
  /** Over this process's own environment, which gives none of its YONDER_* variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of a fresh one. Whoever made it removes it. */
  readonly stateDirectory?: string;
  /** The user to run as. Default: this process's own. */
  readonly uid?: number;
  /** What Node runs, instead of the command from its sources. */
  readonly program?: readonly string[];
}

/**
 * A server in a process of its own, as a user has it. When the test is over it is stopped, nothing of it may be left
 * (no process that it started, no open port), and its directories are removed.
 */
export class ServedWorkspace {
  readonly workingDirectory: string;
  readonly stateDirectory: string;
  readonly #options: ServeOptions;
  #child: ChildProcess | undefined;
  #port = 0;
  #listener: string | undefined;
  /** Lets go of the port that the server is to have again. */
  #letGo: (() => void) | undefined;
  #stderr = "";

  constructor(workingDirectory: string, stateDirectory: string, options: ServeOptions) {
    this.workingDirectory = workingDirectory;
    this.stateDirectory = stateDirectory;
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** The server's process id. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error("the server does not run");
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What the server has logged so far. */
  get log(): string {
    return this.#stderr;
  }

  /** What runs of this workspace's commands, known by the mark in its environment. */
  get marked(): MarkedProcess[] {
    return processesOf(this.workspaceId);
  }

  /** The same at every start over this state directory. */
  get workspaceId(): string {
    return readFileSync(join(this.stateDirectory, "workspace-id"), "utf8").trim();
  }

  /** Starts the server, at the port that it had before, if any. */
  async start(): Promise<void> {
    const { flags = [], env, uid, program = yonder } = this.#options;
    if (uid !== undefined) for (const path of [this.workingDirectory, this.stateDirectory]) await chown(path, uid, uid);
    const child = spawn(
      process.execPath,
      [
        ...program,
        "serve",
        `--port=${this.#port}`,
        `--working-directory=${this.workingDirectory}`,
        `--state-directory=${this.stateDirectory}`,
        "--log-level=warn",
        ...flags,
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...ownEnvironment(), NODE_COMPILE_CACHE: compileCache, ...env },
        ...(uid !== undefined && { uid, gid: uid }),
      },
    );
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.#port = await listeningPort(child, () => this.#stderr);
    this.#letGoOfPort();
    this.#listener = listenerAt(this.#port);
  }

  /**
   * Sends a signal and waits until the server is gone; its port is kept for its next start. Answers its exit code, or the
   * signal that ended it.
   */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number | NodeJS.Signals> {
    const ended = await this.#stop(signal);
    // Where it cannot be held, somebody has it already; the next start says so.
    if (this.#port !== 0) this.#letGo ??= await holdPort(this.#port).catch(() => undefined);
    return ended;
  }

  /** Stops it and starts it again, over the same state and at the same port. */
  async restart(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    await this.stop(signal);
    await this.start();
  }

  /** The most memory that the server has ever held, in bytes. */
  peakMemory(): number {
    return peakMemoryOf(this.pid);
  }

  /** Throws if anything is left of it. */
  async end(): Promise<void> {
    if (this.#child !== undefined) await this.#stop("SIGTERM");
    this.#letGoOfPort();
    if (this.#port === 0) return;
    const left = this.marked;
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    if (left.length > 0) throw new Error(`the server left running: ${JSON.stringify(left)}`);
    // The socket and not the port, which somebody else may have been given by now.
    if (this.#listener !== undefined && listenerAt(this.#port) === this.#listener)
      throw new Error(`port ${this.#port} is still open`);
  }

  async #stop(signal: "SIGTERM" | "SIGKILL"): Promise<number | NodeJS.Signals> {
    const child = this.#child;
    if (child === undefined) throw new Error("the server does not run");
    if (this.isRunning) {
      child.kill(signal);
      await once(child, "exit");
    }
    return child.exitCode ?? child.signalCode ?? 0;
  }

  #letGoOfPort(): void {
    this.#letGo?.();
    this.#letGo = undefined;
  }
}

/** Starts a server on a free port, over a fresh directory and fresh state. */
export async function serve(options: ServeOptions = {}): Promise<ServedWorkspace> {
  const workingDirectory = await mkdtemp(join(tmpdir(), "yonder-e2e-"));
  onTestFinished(async () => await rm(workingDirectory, { recursive: true, force: true }));
  const { stateDirectory = await freshState() } = options;
  const server = new ServedWorkspace(workingDirectory, stateDirectory, options);
  onTestFinished(() => server.end());
  await server.start();
  return server;
}

export interface MarkedProcess {
  readonly pid: number;
  readonly mark: string;
  readonly command: string;
}

/** The most memory that a process has ever held, in bytes. Linux only. */
export function peakMemoryOf(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

/** Whether there is such a process; one that is dead and not yet waited for is none. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Resolves when the process is gone. */
export async function gone(pid: number): Promise<void> {
  await until(() => !isAlive(pid));
}

/** How the command is run here: from its sources where this Node can, else from what was built. */
const yonder = process.features.typescript
  ? ["--conditions=@yonder/source", pathOf("../../cli/src/main.ts")]
  : [pathOf("../../cli/bin/yonder.js")];

/** Half of a start is reading the sources. */
const compileCache = pathOf("../../.cache/compile");

/** With these arguments this Node runs a program that imports the client. */
export const nodeArguments: readonly string[] = process.features.typescript ? ["--conditions=@yonder/source"] : [];

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("YONDER_")));
}

async function freshState(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-state-"));
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }));
  return directory;
}

async function listeningPort(child: ChildProcess, stderr: () => string): Promise<number> {
  let text = "";
  return await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${stderr()}`)));
    child.once("error", reject);
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const [, port] = /http:\/\/127\.0\.0\.1:(\d+)\n/.exec(text) ?? [];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

function processesOf(workspaceId: string): MarkedProcess[] {
  const sign = `YONDER_EXEC_MARK=${workspaceId}/`;
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || !isAlive(Number(name))) return [];
    const mark = readProc(name, "environ")
      .split("\0")
      .find((variable) => variable.startsWith(sign));
    if (mark === undefined) return [];
    return [{ pid: Number(name), mark, command: readProc(name, "cmdline").replaceAll("\0", " ") }];
  });
}

/** Empty for a process that is gone, or another user's. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** The inode of the socket that listens at a loopback port; undefined where none does, or the system does not tell. */
function listenerAt(port: number): string | undefined {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const line of readProc("net", "tcp").split("\n")) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (local === address && state === "0A") return inode;
  }
  return undefined;
}
