import { randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const filesADirectory = 100;

/** Writes so many files of 1 KiB, a hundred a directory, and answers the path of the directory around them. */
export function writeTree(directory: string, files: number): string {
  const block = Buffer.alloc(1024);
  for (let parent = 0; parent < files / filesADirectory; parent++) {
    mkdirSync(join(directory, `d${parent}`), { recursive: true });
    for (let file = 0; file < filesADirectory; file++) {
      writeFileSync(join(directory, `d${parent}/f${file}`), randomFillSync(block));
    }
  }
  return directory;
}
