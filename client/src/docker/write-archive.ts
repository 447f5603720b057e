import { pack } from "tar-stream";
import type { Engine } from "./engine.ts";

export interface ArchiveEntry {
  readonly name: string;
  readonly mode: number;
  /** Undefined: a directory. */
  readonly data?: string;
}

/** Writes files into a directory of a container, as root's. */
export async function writeArchive(
  engine: Engine,
  container: string,
  directory: string,
  entries: readonly ArchiveEntry[],
  signal?: AbortSignal,
): Promise<void> {
  const archive = pack();
  for (const { name, mode, data } of entries) {
    if (data === undefined) archive.entry({ name, mode, type: "directory" });
    else archive.entry({ name, mode }, data);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  await engine.json("PUT", `/containers/${container}/archive`, { query: { path: directory }, body, signal });
}
