import { basename, dirname } from "node:path";
import { text } from "node:stream/consumers";
import { extract } from "tar-stream";
import { readKeys, writeKeys } from "../engine/key-entries.ts";
import type { KeyEntry } from "../engine/key-entries.ts";
import type { Engine } from "./engine.ts";
import { EngineRefusal } from "./engine-errors.ts";
import { writeArchive } from "./write-archive.ts";

/** Where the server reads what opens it: digests, so that nothing in the container holds a key. */
export const keyFileDirectory = "/etc/yonder";
export const keyFilePath = `${keyFileDirectory}/api-keys`;

export interface WriteKeyFileOptions {
  readonly signal?: AbortSignal | undefined;
  /** Makes its directory, too: not every image has it. */
  readonly makeDirectory?: boolean;
}

/** Puts the file into a container, running or not. Root's, so that commands cannot change who is let in. */
export async function writeKeyFile(
  engine: Engine,
  container: string,
  entries: readonly KeyEntry[],
  { signal, makeDirectory = false }: WriteKeyFileOptions = {},
): Promise<void> {
  const file = { name: basename(keyFilePath), mode: 0o644, data: writeKeys(entries) };
  if (!makeDirectory) return await writeArchive(engine, container, keyFileDirectory, [file], signal);
  const directory = basename(keyFileDirectory);
  const inside = [
    { name: `${directory}/`, mode: 0o755 },
    { ...file, name: `${directory}/${file.name}` },
  ];
  await writeArchive(engine, container, dirname(keyFileDirectory), inside, signal);
}

/** The entries of a container's file; none where there is no such file. */
export async function readKeyFile(engine: Engine, container: string, signal?: AbortSignal): Promise<KeyEntry[]> {
  const path = `/containers/${container}/archive`;
  try {
    const archive = await engine.stream("GET", path, { query: { path: keyFilePath }, signal });
    const reader = archive.pipe(extract());
    for await (const entry of reader) return readKeys(await text(entry));
  } catch (error) {
    if (!(error instanceof EngineRefusal && error.status === 404)) throw error;
  }
  return [];
}
