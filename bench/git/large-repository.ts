import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Of a hundred files ten differ: six were edited, one removed, one renamed and staged, and two are new beside them. */
export const CHANGED_SHARE = 0.1;

/** The path of a file that was edited. */
export const EDITED = pathOf(3);

/** Makes a repository of many files, of which a tenth differs from its one commit. */
export async function makeLargeRepository(directory: string, files: number): Promise<void> {
  const git = (...args: string[]): unknown => execFileSync("git", args, { cwd: directory, stdio: "ignore" });
  for (let index = 0; index < files; index++) write(directory, pathOf(index), textOf(index));
  git("init", "--initial-branch=main");
  git("config", "user.name", "bench");
  git("config", "user.email", "bench@example.com");
  git("add", "--all");
  git("commit", "--message=everything");
  for (let index = 0; index < files; index++) change(directory, index);
  git("add", "--all", "moved");
  // Git looks into files that were written in the same second as its index: not what is measured.
  await delay(1_100);
  git("status");
}

function change(directory: string, index: number): void {
  const part = index % 100;
  const path = pathOf(index);
  if (part < 6) write(directory, path, `${textOf(index)}edited\n`);
  else if (part === 6) rmSync(join(directory, path));
  else if (part === 7) {
    mkdirSync(join(directory, "moved"), { recursive: true });
    renameSync(join(directory, path), join(directory, "moved", `file-${index}.txt`));
  } else if (part < 10) write(directory, `${path}.new`, textOf(index));
}

function pathOf(index: number): string {
  return `dir-${Math.floor(index / 500)}/sub-${Math.floor(index / 50) % 10}/file-${index}.txt`;
}

function textOf(index: number): string {
  return `${Array.from({ length: 20 }, (_, line) => `line ${line} of file ${index}`).join("\n")}\n`;
}

function write(directory: string, path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}
