import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";

/** Fills a file with random bytes and answers them. */
export async function writeRandomFile(path: string, size: number): Promise<Buffer> {
  const bytes = randomBytes(size);
  await writeFile(path, bytes);
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
