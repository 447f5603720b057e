import { closeSync, mkdirSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

/** What to hand to execve(2). */
export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
  /** What the program sees as its own name. */
  readonly argv0: string;
}

/**
 * What a shell does in the new process before it becomes the program; each needs the process itself and none can be had
 * from Node's spawn.
 */
export interface Preparation {
  /** A control group's file, to join it before any of the program's memory counts. */
  readonly joinFile: string | undefined;
  /** A terminal's device. The first terminal that a session's leader opens becomes the session's own. */
  readonly terminal: string | undefined;
  /** For ulimit. */
  readonly cpuTimeSeconds: { readonly soft: number; readonly hard: number } | undefined;
  readonly openFiles: number | undefined;
}

/** MAX_ARG_STRLEN, the most that one argument may hold, is 128 KiB. */
const LONGEST_ARGUMENT_BYTES = 100 * 1024;

/** Whether a shell line is too long for an argument and has to be read from descriptor 3. */
export function needsScript(command: string): boolean {
  return command.length > LONGEST_ARGUMENT_BYTES / 4 && Buffer.byteLength(command) > LONGEST_ARGUMENT_BYTES;
}

/** The shell that runs shell lines, and what it reads long ones with. */
export interface Shell {
  readonly path: string;
  /** By its path: a command's own PATH may lead nowhere. */
  readonly cat: string;
}

export function shellLine({ path, cat }: Shell, command: string): CommandLine {
  const argv0 = path.slice(path.lastIndexOf("/") + 1);
  // The words are expanded before the descriptor is closed, and the command runs without it.
  const readScript = `eval "$('${cat}' <&3 || echo 'exit 126')" 3<&-`;
  return { file: path, args: ["-c", needsScript(command) ? readScript : command, argv0], argv0 };
}

/** A file that holds the command and has no name any more, open at its beginning. */
export function openScript(directory: string, command: string): number {
  // A cleaner of temporary files may have been here.
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `script-${process.pid}-${scripts++}`);
  const fd = openSync(path, "wx+", 0o600);
  try {
    unlinkSync(path);
    const bytes = Buffer.from(command);
    // At positions, so that the descriptor itself stays at the beginning.
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, at);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

let scripts = 0;

/** Puts the preparation, and what switches the user, before the program. */
export function prepared(
  line: CommandLine,
  preparation: Preparation,
  userPrefix: readonly string[],
  shell: Shell | undefined,
): CommandLine {
  const { joinFile, terminal, cpuTimeSeconds, openFiles } = preparation;
  const steps: string[] = [];
  if (joinFile !== undefined) steps.push('echo 0 >"$1"');
  steps.push("shift");
  if (terminal !== undefined) steps.push('exec <>"$1" >&0 2>&0', "{ stty iutf8 2>/dev/null || :; }");
  steps.push("shift");
  if (cpuTimeSeconds !== undefined)
    steps.push(`ulimit -S -t ${cpuTimeSeconds.soft}`, `ulimit -H -t ${cpuTimeSeconds.hard}`);
  if (openFiles !== undefined) steps.push(`ulimit -n ${openFiles}`);
  const words = [...userPrefix, line.file, ...line.args];
  if (steps.length === 2 || shell === undefined) {
    const [file = line.file, ...args] = words;
    return userPrefix.length === 0 ? line : { file, args, argv0: file };
  }
  const stub = `${steps.join(" && ")} || exit 126; exec "$@"`;
  return { file: shell.path, args: ["-c", stub, "sh", joinFile ?? "", terminal ?? "", ...words], argv0: "sh" };
}
