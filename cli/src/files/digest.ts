import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** The SHA-256 of a file of this machine. */
export async function sha256File(path: string | Buffer): Promise<Buffer> {
  const hash = createHash("sha256");
  for await (const data of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(data as Buffer);
  return hash.digest();
}
