import { accessSync, closeSync, constants, openSync, readdirSync, readSync } from "node:fs";
import type { ProgramFault } from "./program-lookup.ts";

/**
 * Why the kernel would not run a file for what it holds: execve(2) answers ENOENT where a script's interpreter is
 * missing, and ENOEXEC where the format is unknown, upon which the C library hands the file to /bin/sh, whatever it is.
 * Undefined where nothing speaks against it.
 */
export function faultOfFormat(file: string, directory: string): ProgramFault | undefined {
  const length = readHead(file);
  // Programs may be run without being readable.
  if (length === undefined) return undefined;
  if (length === 0) return { kind: "unfit", why: "it is empty" };
  const text = head.toString("latin1", 0, length);
  if (text.startsWith("#!")) return faultOfInterpreter(text, directory);
  if (text.startsWith("\u007fELF")) return faultOfMachine(length);
  if (!text.includes("\0")) {
    return {
      kind: "unfit",
      why: 'it is a text whose first line does not begin with "#!", so nothing says what is to run it',
      remedy: 'Begin it with a line such as "#!/bin/sh", or run the interpreter with the path as its argument.',
    };
  }
  return kernelTakesOthers() ? undefined : { kind: "unfit", why: "the kernel does not know its format" };
}

/** How much of a script's first line the kernel reads, since Linux 5.1. */
const head = Buffer.alloc(256);

function readHead(file: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch {
    return undefined;
  }
  try {
    return readSync(fd, head, 0, head.length, 0);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function faultOfInterpreter(text: string, directory: string): ProgramFault | undefined {
  const path = /^#![ \t]*([^ \t\n\0]+)/.exec(text)?.[1];
  if (path === undefined) return { kind: "unfit", why: 'its "#!" line names no interpreter' };
  try {
    accessSync(path.startsWith("/") ? path : `${directory}/${path}`, constants.X_OK);
    return undefined;
  } catch {
    return {
      kind: "unfit",
      why: `its interpreter ${JSON.stringify(path)} does not exist or cannot be run`,
      remedy: path.endsWith("\r")
        ? "Save the script with UNIX line ends: its first line ends in a carriage return."
        : "Install the interpreter, or mend the script's first line.",
    };
  }
}

/** The machine that an ELF file is for stands at byte 18; those of 32 bits run beside their own of 64. */
const ELF_MACHINE = 18;
const machines: Partial<Record<NodeJS.Architecture, readonly number[]>> = { x64: [62, 3], arm64: [183, 40] };

function faultOfMachine(length: number): ProgramFault | undefined {
  const known = machines[process.arch];
  if (process.platform !== "linux" || known === undefined || length < ELF_MACHINE + 2) return undefined;
  if (known.includes(head.readUInt16LE(ELF_MACHINE)) || kernelTakesOthers()) return undefined;
  return { kind: "unfit", why: `it is for another machine than this one (${process.arch})` };
}

/** Whether something is registered for further formats: QEMU for foreign machines, Wine, Java. */
function kernelTakesOthers(): boolean {
  if (process.platform !== "linux") return true;
  try {
    return readdirSync("/proc/sys/fs/binfmt_misc").some((name) => name !== "register" && name !== "status");
  } catch {
    return false;
  }
}
