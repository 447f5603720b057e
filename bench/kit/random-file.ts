import { randomFillSync } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";

/** Writes a file that nobody can compress, and answers its path. */
export function writeRandomFile(path: string, bytes: number): string {
  const block = Buffer.alloc(Math.min(bytes, 4 << 20));
  const file = openSync(path, "w");
  for (let written = 0; written < bytes; written += block.length) writeSync(file, randomFillSync(block));
  closeSync(file);
  return path;
}
