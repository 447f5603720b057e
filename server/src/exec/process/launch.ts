import { closeSync, openSync, writeSync } from "node:fs";
import { NotFound, Unsupported } from "../../util/errors.ts";
import type { LaunchedProcess, LauncherFeature, LaunchRequest } from "../launcher.ts";
import type { AnonymousPipes } from "./anonymous-pipes.ts";
import type { Child, Spawner } from "./child.ts";
import { needsScript, openScript, prepared, shellLine, type CommandLine, type Shell } from "./command-line.ts";
import type { ControlGroup, ControlGroups } from "./control-group.ts";
import { commandEnvironment } from "./environment.ts";
import type { FifoPool } from "./fifo-pool.ts";
import { createLaunchedProcess } from "./launched-process.ts";
import { assertEnforceable, processLimits } from "./limits.ts";
import type { OomCounter } from "./oom-counter.ts";
import { readProcStat } from "./proc-stat.ts";
import type { ProcessTable } from "./process-table.ts";
import { findProgram } from "./program-lookup.ts";
import { assertValuesFit, spawnError } from "./spawn-errors.ts";
import { openStdio } from "./stdio.ts";
import type { TerminalOpener } from "./terminal.ts";
import { assertAccess, assertCanSwitchUser, isServersOwn, userSwitch, type UserSwitch } from "./user-switch.ts";
import { resolveUser, type Identity } from "./user.ts";
import { openWorkingDirectory, type WorkingDirectory } from "./working-directory.ts";

/** What a launcher has found on its machine. */
export interface Machine {
  readonly features: ReadonlySet<LauncherFeature>;
  readonly workingDirectory: Buffer;
  readonly runtimeDirectory: string;
  /** What commands inherit. */
  readonly environment: Readonly<Record<string, string>>;
  /** bash, or sh where there is none. */
  readonly shell: Shell | undefined;
  readonly spawn: Spawner;
  readonly fifos: FifoPool;
  readonly pipes: AnonymousPipes;
  readonly terminals: TerminalOpener;
  readonly groups: ControlGroups;
  readonly table: ProcessTable;
  readonly oomCounter: OomCounter;
  readonly bootId: string | undefined;
  /** What the processes get; undefined to leave them the server's own. */
  readonly oomScore: string | undefined;
  /** What the server was itself passed, and a child must not inherit. */
  readonly inherited: ReadonlySet<number>;
  /** /dev/null, to put in the place of such descriptors. */
  readonly nothing: number;
}

/** Everything that can be refused is refused before the process is made; from there on it is one step. */
export async function launch(machine: Machine, request: LaunchRequest): Promise<LaunchedProcess> {
  assertEnforceable(request.limits, machine.features);
  if (request.terminal !== undefined && machine.shell === undefined) throw noShellForTerminal();
  const identity = request.user === undefined ? undefined : otherIdentity(request.user);
  const how = identity && (await userSwitch(identity));
  let directory: WorkingDirectory | undefined;
  let environment: Record<string, string> = {};
  const args = "args" in request.program ? request.program.args : [machine.shell?.path ?? "sh"];
  try {
    directory = openWorkingDirectory(machine.workingDirectory, request.workingDirectory);
    environment = commandEnvironment({
      inherited: machine.environment,
      change: request.environment,
      mark: request.mark,
      workingDirectory: directory.logicalPath,
      identity,
      terminalType: request.terminal?.terminalType,
    });
    assertValuesFit({ args, environment, user: request.user });
    const line = commandLine(machine, request, environment, directory);
    if (identity !== undefined && how !== undefined) await assertMayRun(machine, identity, how, directory, line);
    return await start(machine, request, { directory, environment, line, identity, how });
  } catch (error) {
    throw spawnError(error, { args, environment, user: request.user });
  } finally {
    directory?.close();
  }
}

/** A shell takes the terminal for the session; see `prepared`. */
function noShellForTerminal(): Error {
  return new Unsupported("TERMINAL_UNSUPPORTED", "This server has no terminals: the machine has neither bash nor sh.", {
    remedy: "Install a shell and start the server again.",
  });
}

function otherIdentity(user: string): Identity | undefined {
  const identity = resolveUser(user);
  if (isServersOwn(identity)) return undefined;
  assertCanSwitchUser(identity, user);
  return identity;
}

function commandLine(
  { shell }: Machine,
  { program }: LaunchRequest,
  environment: Readonly<Record<string, string>>,
  directory: WorkingDirectory,
): CommandLine {
  if ("args" in program) {
    const [argv0 = "", ...args] = program.args;
    return { file: findProgram(argv0, environment["PATH"], directory.path), args, argv0 };
  }
  if (shell !== undefined) return shellLine(shell, program.command);
  throw new NotFound("PROGRAM_NOT_FOUND", "This machine has neither bash nor sh to run a shell line.", {
    subject: "bash",
    remedy: "Send an argument list, or install a shell and start the server again.",
  });
}

async function assertMayRun(
  { shell }: Machine,
  identity: Identity,
  how: UserSwitch,
  directory: WorkingDirectory,
  { file }: CommandLine,
): Promise<void> {
  if (shell === undefined) return;
  const directoryName = directory.logicalPath ?? "the working directory";
  await assertAccess({ identity, how, shell: shell.path, directory: directory.path, directoryName, program: file });
}

interface StartParts {
  readonly directory: WorkingDirectory;
  readonly environment: Readonly<Record<string, string>>;
  readonly line: CommandLine;
  readonly identity: Identity | undefined;
  readonly how: UserSwitch | undefined;
}

async function start(machine: Machine, request: LaunchRequest, parts: StartParts): Promise<LaunchedProcess> {
  const { mark, limits, program } = request;
  const stdio = await openStdio(request, machine, parts.identity);
  let group: ControlGroup | undefined;
  let script: number | undefined;
  let child: Child;
  try {
    group = machine.groups.create(mark, limits);
    if ("command" in program && needsScript(program.command))
      script = openScript(machine.runtimeDirectory, program.command);
    const preparation = { joinFile: group?.joinFile, terminal: stdio.terminal?.path, ...processLimits(limits) };
    const line = prepared(parts.line, preparation, parts.how?.prefix ?? [], machine.shell);
    const spawnRequest = {
      line,
      directory: parts.directory.path,
      environment: parts.environment,
      descriptors: covered([...stdio.childEnds, ...(script === undefined ? [] : [script])], machine),
      ids: parts.how?.ids,
    };
    child = await (group ?? nowhere).enclose(() => machine.spawn(spawnRequest));
  } catch (error) {
    stdio.abandon();
    group?.release();
    throw error;
  } finally {
    stdio.closeChildEnds();
    if (script !== undefined) closeSync(script);
  }
  const { pid } = child;
  raiseOomScore(pid, machine.oomScore);
  return createLaunchedProcess({
    child,
    pid,
    leftoverMark: { mark, pid, startTicks: readProcStat(pid)?.startTicks, bootId: machine.bootId },
    ...stdio.connect(child),
    terminal: stdio.terminal,
    group,
    table: machine.table,
    oomCounter: machine.oomCounter,
  });
}

const nowhere: Pick<ControlGroup, "enclose"> = { enclose: (start) => start() };

/** Nothing can be closed in a child: where a descriptor would be inherited, the child finds /dev/null. */
export function covered(
  stdio: ("pipe" | "ignore" | number)[],
  { terminals, inherited, nothing }: Pick<Machine, "terminals" | "inherited" | "nothing">,
): typeof stdio {
  for (const fd of [...terminals.inheritable, ...inherited]) {
    while (stdio.length <= fd) stdio.push("ignore");
    if (stdio[fd] === "ignore") stdio[fd] = nothing;
  }
  return stdio;
}

/** So that the kernel, when memory runs short, picks a command and not the server. */
function raiseOomScore(pid: number, score: string | undefined): void {
  if (score === undefined) return;
  try {
    const fd = openSync(`/proc/${pid}/oom_score_adj`, "w");
    try {
      writeSync(fd, score);
    } finally {
      closeSync(fd);
    }
  } catch {
    // It is gone already, or belongs to another user.
  }
}
