import { hash } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, rmdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { readProcStat } from "./proc-stat.ts";

/**
 * The name of an exec's group. It says which server made it, so that the next one can tell what is left over, and which
 * exec it is for, in a form that any mark can take.
 */
export function groupName(mark: string): string {
  return `${prefix()}${digest(mark)}`;
}

/** The groups under that directory which were made by servers that run no more. */
export function groupsOfDeadServers(parent: string): string[] {
  return list(parent).filter((name) => {
    const match = /^yonder-(\d+)-(\d+)-[\da-f]{32}$/.exec(name);
    return match !== null && readProcStat(Number(match[1]))?.startTicks !== Number(match[2]);
  });
}

/** Whether a group of that name is for that mark, whoever made it. */
export function isGroupFor(name: string, mark: string): boolean {
  return name.endsWith(digest(mark));
}

/** Removes it if nothing is in it any more; answers whether it is gone. */
export function removeGroup(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Writes to a control file. It is there already or not at all, so it must not be created. */
export function writeControl(directory: string, file: string, value: string): void {
  writeFileSync(join(directory, file), value, { flag: "r+" });
}

export function tryWriteControl(directory: string, file: string, value: string): boolean {
  try {
    writeControl(directory, file, value);
    return true;
  } catch {
    return false;
  }
}

/** Empty where it cannot be read. */
export function readControl(directory: string, file: string): string {
  try {
    return readFileSync(join(directory, file), "latin1");
  } catch {
    return "";
  }
}

export function readIds(directory: string, file: string): number[] {
  return readControl(directory, file).split("\n").filter(Boolean).map(Number);
}

/** The count after that word, as in "oom_kill 3". Undefined: the file or the word is not there. */
export function readCount(directory: string, file: string, word: string): number | undefined {
  const [, digits] = new RegExp(`^${word} (\\d+)$`, "m").exec(readControl(directory, file)) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Whether a group could not be written to because it was removed. */
export function isGone(error: unknown): boolean {
  return ["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Moves the calling thread alone: "0" means whoever writes. */
export function moveThisThread(file: string): void {
  const fd = openSync(file, "r+");
  try {
    moveThisThreadBy(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same with the file open already. */
export function moveThisThreadBy(fd: number): void {
  writeSync(fd, ITSELF);
}

const ITSELF = Buffer.from("0");

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function prefix(): string {
  ownPrefix ??= `yonder-${process.pid}-${readProcStat(process.pid)?.startTicks ?? 0}-`;
  return ownPrefix;
}

let ownPrefix: string | undefined;

function digest(mark: string): string {
  return hash("sha256", mark, "hex").slice(0, 32);
}
