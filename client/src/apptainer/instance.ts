import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { quoted } from "../engine/wait-until-serving.ts";
import { StartFailed } from "../errors.ts";
import { startFailed } from "./failures.ts";
import { instanceNotFound } from "./instance-files.ts";
import type { InstanceFiles, InstanceRecord } from "./instance-files.ts";
import { lastLinesOf } from "./inside-file.ts";
import { findProcess, innerPid, isRunning, namespaceMembers } from "./process-table.ts";
import { runProgram } from "./run-program.ts";

const startMs = 120_000;
const endMs = 10_000;
const stepMs = 20;
/** How long an instance may have nothing in it but its first process, which it has at its start, too. */
const aloneMs = 3_000;
/** Of looking for processes that were started while others were stopped. */
const rounds = 100;

/** An instance of Apptainer that runs: its processes are those of one PID namespace. */
export class Instance {
  readonly files: InstanceFiles;
  readonly record: InstanceRecord;
  readonly #init: { readonly pid: number; readonly startTime: string };
  /** Since when nothing was seen in it but its first process. */
  #aloneSince: number | undefined;

  constructor(files: InstanceFiles, record: InstanceRecord, init: { pid: number; startTime: string }) {
    this.files = files;
    this.record = record;
    this.#init = init;
  }

  /** Starts one. Rejects, and leaves nothing running, where Apptainer refuses. */
  static async start(
    files: InstanceFiles,
    record: InstanceRecord,
    image: string,
    flags: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Instance> {
    const pidFile = join(files.path, "pid");
    const args = ["instance", "start", "--pid-file", pidFile, ...flags, image, files.name];
    const result = await runProgram(record.program, args, { timeoutMs: startMs, signal });
    if (result.exitCode !== 0) throw startFailed(files.name, image, result);
    const pid = Number(await readFile(pidFile, "utf8"));
    const init = findProcess(pid);
    if (init === undefined) throw startFailed(files.name, image, result);
    const complete = { ...record, init: { pid, startTime: init.startTime } };
    await files.write(complete);
    return new Instance(files, complete, complete.init);
  }

  /** The one that was started under this name. Rejects with WORKSPACE_NOT_FOUND where it does not run. */
  static async find(files: InstanceFiles): Promise<Instance> {
    const record = await files.read();
    if (record?.init === undefined || !isRunning(record.init)) throw instanceNotFound(files.name);
    return new Instance(files, record, record.init);
  }

  get isRunning(): boolean {
    return isRunning(this.#init);
  }

  get isPaused(): boolean {
    const init = findProcess(this.#init.pid);
    return init?.startTime === this.#init.startTime && init.state === "T";
  }

  /** Why its server will never answer. Undefined: it may. */
  async whyDead(): Promise<StartFailed | undefined> {
    const subject = `instance ${this.files.name}`;
    const exitCode = await this.files.exitCode();
    if (exitCode === undefined && this.isRunning && !this.#isAlone()) return undefined;
    const log = await this.lastLines();
    const how =
      exitCode !== undefined ? `ended with ${exitCode}` : this.isRunning ? "did not start" : "was ended from outside";
    const message = `the server of ${subject} ${how}${quoted(log)}`;
    return new StartFailed(message, { reason: "START_FAILED", subject, log, exitCode });
  }

  /** What its server has printed last; where that is nothing, what Apptainer has. */
  async lastLines(): Promise<readonly string[]> {
    const lines = await this.files.lastLines();
    if (lines.length > 0) return lines;
    const args = ["instance", "list", "--json", this.files.name];
    const { stdout } = await runProgram(this.record.program, args, { timeoutMs: endMs });
    const [, path] = /"logErrPath": *("[^"]*")/.exec(stdout) ?? [];
    return path === undefined ? [] : lastLinesOf(JSON.parse(path) as string);
  }

  /** Whether its script has ended without a word: nothing has run in it for a while. */
  #isAlone(): boolean {
    const isAlone = this.#members().length <= 1;
    this.#aloneSince = isAlone ? (this.#aloneSince ?? performance.now()) : undefined;
    return this.#aloneSince !== undefined && performance.now() - this.#aloneSince > aloneMs;
  }

  /** Stops every process. Those that are stopped already stay so when it is resumed. */
  async pause(): Promise<void> {
    const before = new Set(this.#members().flatMap(({ pid, state }) => (state === "T" ? [pid] : [])));
    if (!this.isPaused) await writeFile(join(this.files.path, "stopped"), JSON.stringify([...before]));
    for (let round = 0; round < rounds; round += 1) {
      const running = this.#members().filter(({ state }) => !/[TtZX]/.test(state));
      if (running.length === 0) return;
      for (const { pid } of running) signalProcess(pid, "SIGSTOP");
      await sleep(1);
    }
  }

  async resume(): Promise<void> {
    const text = await readFile(join(this.files.path, "stopped"), "utf8").catch(() => "[]");
    const before = new Set(JSON.parse(text) as number[]);
    for (const { pid } of this.#members()) if (!before.has(pid)) signalProcess(pid, "SIGCONT");
  }

  /** Lets its server end its commands, then ends everything, and waits until Apptainer knows of it no more. */
  async stop(stopTimeoutMs: number): Promise<void> {
    if (this.isRunning) {
      const monitor = findProcess(findProcess(this.#init.pid)?.parent ?? 0);
      await this.resume();
      const server = await this.#server();
      if (server !== undefined) signalProcess(server, "SIGTERM");
      const isOver = async () => !this.isRunning || (await this.files.exitCode()) !== undefined;
      if (server !== undefined) await until(isOver, stopTimeoutMs);
      // Its namespace ends with it, and so does everything in it.
      if (this.isRunning) signalProcess(this.#init.pid, "SIGKILL");
      await until(async () => !this.isRunning && (monitor === undefined || !isRunning(monitor)), endMs);
    }
  }

  async #server(): Promise<number | undefined> {
    const inner = await this.files.serverPid();
    return this.#members().find(({ pid }) => innerPid(pid) === inner)?.pid;
  }

  #members() {
    return this.isRunning ? namespaceMembers(this.#init.pid) : [];
  }
}

/** Ends what a start left that never came to have a record of its first process. */
export async function endByName(program: string, name: string): Promise<void> {
  const options = { timeoutMs: 30_000 };
  await runProgram(program, ["instance", "stop", "--signal", "KILL", name], options).catch(() => {});
}

async function until(condition: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition()) && performance.now() < deadline) await sleep(stepMs);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone.
  }
}
