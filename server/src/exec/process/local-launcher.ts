import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import type { Launcher, LauncherFeature } from "../launcher.ts";
import { createAnonymousPipes } from "./anonymous-pipes.ts";
import { createOomCounter } from "./oom-counter.ts";
import { parseHierarchies } from "./cgroup-hierarchies.ts";
import { spawnByNode } from "./child.ts";
import type { Shell } from "./command-line.ts";
import { createControlGroups, type ControlGroups } from "./control-group.ts";
import { inheritedDescriptors } from "./descriptors.ts";
import { createFifoPool } from "./fifo-pool.ts";
import { launch, type Machine } from "./launch.ts";
import { endLeftovers } from "./leftovers.ts";
import { orphanCare, type OrphanCare } from "./orphans.ts";
import { readBootId } from "./proc-stat.ts";
import { createProcessTable } from "./process-table.ts";
import { closePipe, type Pipe } from "./pipe.ts";
import { createPosixSpawner, type PosixSpawner } from "./posix-spawner.ts";
import { findFirst } from "./program-lookup.ts";
import { startAsUser, type UserProgram } from "./start-as-user.ts";
import { createTerminalOpener, hasTerminalAddon, terminalProblem, TERMINAL_REMEDY } from "./terminal.ts";
import { canSwitchUser, findSetpriv } from "./user-switch.ts";
import { withoutWithheld } from "./withheld-variables.ts";

export interface LocalLauncherOptions {
  /** The workspace's directory, absolute: where commands start, and what relative directories are relative to. */
  readonly workingDirectory: string | Buffer;
  /** A directory for pipes that nobody but the server's user may enter. Made where it is not there. */
  readonly runtimeDirectory: string;
  /** What commands inherit, without what is withheld. The server's own by default. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Further variables that commands do not inherit; `*` stands for anything. */
  readonly secretEnvironmentNames?: readonly string[];
  /** Whether to make control groups where that can be had. True by default. */
  readonly controlGroups?: boolean;
  /** Whether to start processes by posix_spawn(3) where the addon for it is there. True by default. */
  readonly posixSpawn?: boolean;
}

/** What starts processes on this machine, and parts of the server that work as another user. */
export interface LocalLauncher extends Launcher {
  startAsUser(program: UserProgram): Promise<ChildProcess>;
}

/** Starts processes on this machine, as children of this one. */
export async function createLocalLauncher(options: LocalLauncherOptions): Promise<LocalLauncher> {
  const { workingDirectory, runtimeDirectory, environment = process.env, secretEnvironmentNames } = options;
  mkdirSync(runtimeDirectory, { recursive: true, mode: 0o700 });
  const mountinfo = options.controlGroups === false ? "" : readOrEmpty("/proc/self/mountinfo");
  const groups = createControlGroups(mountinfo, readOrEmpty("/proc/self/cgroup"));
  // After the groups: they may have moved the server.
  const oomCounter = createOomCounter(parseHierarchies(mountinfo, readOrEmpty("/proc/self/cgroup")));
  const nothing = openSync("/dev/null", "r+");
  const posix = options.posixSpawn === false ? undefined : createPosixSpawner(nothing);
  const shell = findShell(environment["PATH"]);
  const { fifos, pipes } = posix === undefined ? await madePipes(runtimeDirectory, shell) : kernelPipes(posix);
  const features = featuresOf(groups, shell !== undefined);
  const machine = {
    features,
    workingDirectory: Buffer.from(workingDirectory),
    runtimeDirectory,
    environment: withoutWithheld(environment, secretEnvironmentNames),
    shell,
    spawn: posix?.spawn ?? spawnByNode,
    fifos,
    pipes,
    terminals: createTerminalOpener(),
    groups,
    table: createProcessTable(),
    oomCounter: oomCounter.read,
    bootId: readBootId(),
    oomScore: raisedOomScore(),
    inherited: inheritedDescriptors(),
    nothing,
  };
  // Asked once: it does not change, and where nobody reaps them each orphan stays for good.
  let orphans: Promise<OrphanCare | undefined> | undefined;

  return {
    features,
    notices: await noticesOf(features, fifos.available),
    launch: (request) => launch(machine, request),
    prepare: (mark) => groups.prepare(mark),
    startAsUser: (program) => startAsUser(machine, program),
    endLeftovers: (marks, graceMs) => endLeftovers(marks, graceMs, machine),
    async diagnose() {
      orphans ??= orphanCare(shell?.path);
      return { terminalProblem: await terminalProblem(machine.terminals), orphans: await orphans };
    },
    async close() {
      await fifos.close();
      await pipes.close();
      groups.close();
      oomCounter.close();
      closeSync(nothing);
    },
  };
}

/** Pipes for output and for input, as Machine has them. */
type Pipes = Pick<Machine, "fifos" | "pipes">;

function kernelPipes(posix: PosixSpawner): Pipes {
  const take = (count: number): Pipe[] => {
    const taken: Pipe[] = [];
    try {
      while (taken.length < count) taken.push(posix.pipe());
      return taken;
    } catch (error) {
      taken.forEach(closePipe);
      throw error;
    }
  };
  return {
    fifos: { available: true, take: async (count) => take(count), close: async () => {} },
    pipes: { take: async () => posix.pipe(), close: async () => {} },
  };
}

async function madePipes(runtimeDirectory: string, shell: Shell | undefined): Promise<Pipes> {
  const fifos = await createFifoPool(runtimeDirectory);
  return { fifos, pipes: createAnonymousPipes(shell?.path) };
}

function findShell(searchPath: string | undefined): Shell | undefined {
  const path = findFirst(["bash", "sh"], searchPath);
  return path === undefined ? undefined : { path, cat: findFirst(["cat"], searchPath) ?? "cat" };
}

function featuresOf(groups: ControlGroups, hasShell: boolean): ReadonlySet<LauncherFeature> {
  const features = new Set<LauncherFeature>();
  if (hasTerminalAddon() && hasShell) features.add("TERMINAL");
  if (canSwitchUser()) features.add("USER_SWITCH");
  if (groups.tracks) features.add("CONTROL_GROUP");
  if (groups.limitsMemory && hasShell) features.add("MEMORY_LIMIT");
  if (groups.limitsProcesses) features.add("PROCESS_LIMIT");
  if (hasShell) features.add("CPU_TIME_LIMIT").add("OPEN_FILES_LIMIT");
  return features;
}

async function noticesOf(features: ReadonlySet<LauncherFeature>, hasFifos: boolean): Promise<string[]> {
  const notices: string[] = [];
  if (!hasFifos) {
    notices.push(
      "There is no mkfifo, so commands get sockets as standard streams and cannot open /dev/stdin, /dev/stdout and /dev/stderr; install coreutils.",
    );
  }
  if (!features.has("TERMINAL")) notices.push(`There are no terminals: node-pty is not built. ${TERMINAL_REMEDY}`);
  if (!features.has("CONTROL_GROUP")) {
    notices.push(
      "No control group can be made here, so a process that clears its environment and leaves its session outlives the end of its command; give the server a cgroup that it may write to.",
    );
  }
  if (!features.has("MEMORY_LIMIT") || !features.has("PROCESS_LIMIT")) {
    notices.push(
      "Limits of memory or of the number of processes cannot be enforced here; give the server a cgroup with the memory and pids controllers that it may write to.",
    );
  }
  if (features.has("USER_SWITCH") && (await findSetpriv()) === undefined) {
    notices.push(
      "There is no setpriv, so a command that runs as another user has none of that user's further groups; install util-linux.",
    );
  }
  return notices;
}

/** Well above the server's own, as far as it goes. Raising needs no privilege; a child keeps its parent's otherwise. */
function raisedOomScore(): string | undefined {
  const own = readOrEmpty("/proc/self/oom_score_adj").trim();
  return own === "" ? undefined : String(Math.min(1000, Number(own) + 500));
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
