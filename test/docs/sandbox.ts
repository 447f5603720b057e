import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import type { Readable } from "node:stream";
import { root } from "./pages.ts";

const namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child"];

/** Why there is no sandbox here; undefined where there is one. */
export function sandboxHindrance(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  const { status, stderr } = spawnSync("unshare", [...namespaces, "true"], { encoding: "utf8" });
  return status === 0 ? undefined : `needs root: ${stderr}`;
}

/**
 * A machine on which a page's commands are run as they stand: /workspace is there, port 8000 is free, what they change
 * is gone afterwards, and so is what they left running.
 */
export class Sandbox {
  readonly #child: ChildProcess;
  readonly #answers: Interface;
  readonly #directory: string;
  #count = 0;

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.#answers = createInterface({ input: child.stdio[3] as Readable });
    this.#directory = directory;
  }

  static async open(): Promise<Sandbox> {
    const directory = await mkdtemp(join(tmpdir(), "yonder-docs-"));
    const box = await mkdtemp(join(tmpdir(), "yonder-docs-box-"));
    const script = join(root, "test/fixtures/docs-sandbox.sh");
    const child = spawn("unshare", [...namespaces, "bash", script, box, root, directory], {
      stdio: ["pipe", "inherit", "inherit", "pipe"],
    });
    child.once("exit", () => void rm(box, { recursive: true, force: true }));
    return new Sandbox(child, directory);
  }

  /** Answers what a script prints; rejects with what it complained of where it does not end with 0. */
  async run(script: string): Promise<{ stdout: string; stderr: string }> {
    const name = `script-${(this.#count += 1)}`;
    const path = join(this.#directory, name);
    await writeFile(path, script);
    const answer = once(this.#answers, "line") as Promise<[string]>;
    this.#child.stdin?.write(`${name}\n`);
    const [exitCode] = await answer;
    const [stdout, stderr] = await Promise.all([readFile(`${path}.out`, "utf8"), readFile(`${path}.err`, "utf8")]);
    if (exitCode !== "0") throw new Error(`exit code ${exitCode}: ${stderr}${stdout}`);
    return { stdout, stderr };
  }

  async close(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
    await rm(this.#directory, { recursive: true, force: true });
  }
}
