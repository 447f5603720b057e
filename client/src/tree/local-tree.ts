import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readlinkSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import type { QuickDisk } from "@yonder/transfer";
import { IgnoreRules } from "./ignore-rules.ts";
import type { IgnoreOptions } from "./ignore-rules.ts";

/** An entry of a tree on this machine. */
export interface LocalEntry {
  /** Its path in the tree, each byte as one character: names need not be text. */
  readonly name: string;
  /** Its path on this machine. */
  readonly path: Buffer;
  readonly stats: BigIntStats;
  /** Where a symbolic link points. */
  readonly target: Buffer | undefined;
}

interface WalkOptions extends IgnoreOptions {
  /** What the tree lies on. */
  readonly disk: QuickDisk;
}

/** Goes through a tree in the order of the names' bytes, each directory before what is in it; links are not followed. */
export function walkLocalTree(directory: string, options: WalkOptions): AsyncGenerator<LocalEntry> {
  return walk(Buffer.from(directory), "", new IgnoreRules(options), options);
}

async function* walk(
  directory: Buffer,
  prefix: string,
  outerRules: IgnoreRules,
  options: WalkOptions,
): AsyncGenerator<LocalEntry> {
  const { disk } = options;
  const rules = await outerRules.enter(directory, text(prefix), options);
  const reading = readdir(directory, { encoding: "latin1" });
  // One that went away since it was met has none.
  const names = ((await (prefix === "" ? reading : reading.catch(unlessGone))) ?? []).toSorted();
  for (let begin = 0; begin < names.length; begin += atOnce) {
    const some = names.slice(begin, begin + atOnce).filter((name) => !name.startsWith(".yonder-part-"));
    const entries = disk.isQuick
      ? await disk.run(() => some.map((name) => lookAtOnce(directory, prefix, name)))
      : await Promise.all(some.map((name) => lookAt(directory, prefix, name)));
    for (const entry of entries) {
      if (entry === undefined || rules.ignores(text(entry.name), entry.stats.isDirectory())) continue;
      yield entry;
      if (entry.stats.isDirectory()) yield* walk(entry.path, `${entry.name}/`, rules, options);
    }
  }
}

/** What has this name in a directory, as the entry of a tree in which that is `prefix`; undefined where nothing has. */
export async function lookAt(directory: Buffer, prefix: string, name: string): Promise<LocalEntry | undefined> {
  const path = pathIn(directory, name);
  try {
    const stats = await lstat(path, { bigint: true });
    const target = stats.isSymbolicLink() ? await readlink(path, { encoding: "buffer" }) : undefined;
    return { name: prefix + name, path, stats, target };
  } catch (error) {
    return unlessGone(error);
  }
}

/** The same on this thread. */
function lookAtOnce(directory: Buffer, prefix: string, name: string): LocalEntry | undefined {
  const path = pathIn(directory, name);
  try {
    const stats = lstatSync(path, { bigint: true });
    const target = stats.isSymbolicLink() ? readlinkSync(path, { encoding: "buffer" }) : undefined;
    return { name: prefix + name, path, stats, target };
  } catch (error) {
    return unlessGone(error);
  }
}

function pathIn(directory: Buffer, name: string): Buffer {
  return Buffer.concat([directory, slash, Buffer.from(name, "latin1")]);
}

function unlessGone(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
}

/** The SHA-256 of a file on this machine. */
export async function hashFile(path: Buffer): Promise<Buffer> {
  const hash = createHash("sha256");
  for await (const data of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(data as Buffer);
  return hash.digest();
}

/** A name as text; lossy where it is not UTF-8. */
export function text(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

const atOnce = 64;
const slash = Buffer.from("/");
