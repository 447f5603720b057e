import { randomBytes } from "node:crypto";
import { closeSync, fchmodSync, futimesSync, openSync, renameSync, writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { link, lstat, lutimes, mkdir, open, rename, rm, symlink, unlink } from "node:fs/promises";
import { makeDirectories, QuickDisk, TarReader } from "@yonder/transfer";
import type { TarHead } from "@yonder/transfer";
import { InvalidRequest } from "../errors.ts";
import { exactSeconds } from "../transfer/exact-seconds.ts";
import { partOwner, partPrefix, removeAbandoned } from "../transfer/parts.ts";
import { text } from "./local-tree.ts";
import { skip } from "./tree-report.ts";
import type { TreeReport } from "./tree-report.ts";

/**
 * Unpacks a tar stream below a directory on this machine. What it holds was written by somebody else: no entry gets out
 * of the directory, by its name or through a link, and links that lead out are passed over unless they are asked for.
 */
export async function unpackTree(
  stream: AsyncIterable<Uint8Array>,
  directory: string,
  report: TreeReport,
  options: { allowOutsideLinks: boolean; signal: AbortSignal | undefined },
): Promise<void> {
  await makeDirectories(directory);
  await removeAbandoned(directory);
  const unpacker = new Unpacker({
    top: Buffer.from(directory),
    report,
    allowOutsideLinks: options.allowOutsideLinks,
    disk: await QuickDisk.under(Buffer.from(directory)),
  });
  const source = stream[Symbol.asyncIterator]();
  const reader = new TarReader(source);
  try {
    for await (const head of reader.entries()) await unpacker.unpack(head, reader.content());
    await unpacker.finish();
  } finally {
    await source.return?.();
    await unpacker.discard();
  }
}

interface UnpackerOptions {
  readonly top: Buffer;
  readonly report: TreeReport;
  readonly allowOutsideLinks: boolean;
  readonly disk: QuickDisk;
}

class Unpacker {
  readonly #top: Buffer;
  readonly #report: TreeReport;
  readonly #allowOutsideLinks: boolean;
  /** Directories that are known to be there, and to be no links. */
  readonly #known = new Set<string>();
  /** Modes and times of directories, set at the end: what is written in them changes them. */
  readonly #later: { path: Buffer; mode: number; time: number }[] = [];
  readonly #parts: Buffer;
  readonly #disk: QuickDisk;
  #count = 0;

  constructor({ top, report, allowOutsideLinks, disk }: UnpackerOptions) {
    this.#top = top;
    this.#report = report;
    this.#allowOutsideLinks = allowOutsideLinks;
    this.#disk = disk;
    this.#parts = join(top, `${partPrefix}${randomBytes(9).toString("hex")}${partOwner()}`);
  }

  async unpack(header: TarHead, content: AsyncIterable<Buffer>): Promise<void> {
    const { pax } = header;
    const name = pax["path"] === undefined ? header.name : Buffer.from(pax["path"]).toString("latin1");
    const names = safeNames(name);
    const last = names.at(-1);
    const directory = await this.#directory(header.type === "directory" ? names : names.slice(0, -1), name);
    const time = timeOf(header, pax["mtime"]);
    if (header.type === "directory") {
      this.#later.push({ path: directory, mode: header.mode, time });
      this.#report.directories++;
      return;
    }
    if (last === undefined) throw refused(name, "names no file");
    const path = join(directory, last);
    const linkName = pax["linkpath"] === undefined ? header.linkName : Buffer.from(pax["linkpath"]).toString("latin1");
    if (header.type === "symlink") await this.#symlink(names, linkName, path, time);
    else if (header.type === "hardlink") await this.#hardLink(linkName, name, path);
    else if (header.type === "file") await this.#file(header, time, content, path);
    else skip(this.#report, text(name));
  }

  async finish(): Promise<void> {
    for (const { path, mode, time } of this.#later.toReversed()) {
      await onDirectory(path, async (handle) => {
        await handle.chmod(mode & 0o7777);
        await handle.utimes(time, time);
      });
    }
    await this.discard();
    const top = this.#later.find(({ path }) => path.equals(this.#top));
    if (top !== undefined) await onDirectory(this.#top, (handle) => handle.utimes(top.time, top.time));
  }

  /** Removes what is not in its place. */
  async discard(): Promise<void> {
    if (this.#count > 0) await rm(this.#parts, { recursive: true, force: true });
    this.#count = 0;
  }

  async #file(header: TarHead, time: number, content: AsyncIterable<Buffer>, path: Buffer): Promise<void> {
    const part = await this.#newPart();
    if (header.size <= smallBytes && this.#disk.isQuick) {
      const data: Buffer[] = [];
      for await (const piece of content) data.push(piece);
      await this.#disk.run(() => writeSmall(part, path, data, header.mode & 0o7777, time));
    } else {
      await this.#largeFile(header, time, content, part, path);
    }
    this.#report.files++;
    this.#report.contentBytes += header.size;
  }

  async #largeFile(
    header: TarHead,
    time: number,
    content: AsyncIterable<Buffer>,
    part: Buffer,
    path: Buffer,
  ): Promise<void> {
    const handle = await open(part, "wx");
    try {
      let position = 0;
      for await (const data of content) {
        await writeAll(handle, data, position);
        position += data.length;
      }
      await handle.chmod(header.mode & 0o7777);
      await handle.utimes(time, time);
    } finally {
      await handle.close();
    }
    await rename(part, path);
  }

  async #symlink(names: readonly string[], target: string, path: Buffer, time: number): Promise<void> {
    if (!this.#allowOutsideLinks && leadsOut(names, target)) return skip(this.#report, text(names.join("/")));
    const part = await this.#newPart();
    await symlink(Buffer.from(target, "latin1"), part);
    await lutimes(part, time, time);
    await rename(part, path);
    this.#report.symlinks++;
  }

  async #hardLink(linkName: string, name: string, path: Buffer): Promise<void> {
    const names = safeNames(linkName);
    const directory = await this.#directory(names.slice(0, -1), name);
    const part = await this.#newPart();
    await link(join(directory, names.at(-1) ?? ""), part);
    await rename(part, path);
    // A rename over another name of the same file does nothing, and leaves the part.
    await unlink(part).catch(() => {});
    this.#report.hardLinks++;
  }

  #directory(names: readonly string[], entry: string): Promise<Buffer> {
    return safeDirectory(this.#top, names, entry, this.#known);
  }

  async #newPart(): Promise<Buffer> {
    if (this.#count === 0) await mkdir(this.#parts, { mode: 0o700 });
    return join(this.#parts, String(this.#count++));
  }
}

/** The directory of these names below another, made where it is missing; nothing on the way may be a link. */
export async function safeDirectory(
  top: Buffer,
  names: readonly string[],
  entry: string,
  known: Set<string>,
): Promise<Buffer> {
  let directory = top;
  let key = "";
  for (const name of names) {
    directory = join(directory, name);
    key += `${name}/`;
    if (known.has(key)) continue;
    await mkdir(directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
    if (!(await lstat(directory)).isDirectory()) throw refused(entry, "goes through a link, or what is no directory");
    known.add(key);
  }
  return directory;
}

/** The names of an entry's path; refuses one that leads out of the tree. */
export function safeNames(path: string): string[] {
  if (path.startsWith("/")) throw refused(path, "is absolute");
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw refused(path, 'holds ".."');
  return names;
}

/**
 * Whether a link leads out of the tree, or may: "..", where it comes first, goes up from directories that are no links;
 * further on it would go up from wherever a link leads.
 */
function leadsOut(names: readonly string[], target: string): boolean {
  if (target.startsWith("/")) return true;
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const ups = steps.findIndex((step) => step !== "..");
  const leading = ups === -1 ? steps.length : ups;
  return leading > names.length - 1 || steps.slice(leading).includes("..");
}

function timeOf(header: TarHead, pax: string | undefined): number {
  const [, seconds, fraction = ""] = /^(-?\d+)(?:\.(\d*))?$/.exec(pax ?? "") ?? [];
  if (seconds === undefined) return header.seconds;
  return exactSeconds(BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0")));
}

async function onDirectory(path: Buffer, act: (handle: FileHandle) => Promise<unknown>): Promise<void> {
  const handle = await open(path, "r");
  try {
    await act(handle);
  } finally {
    await handle.close();
  }
}

/** Writes a whole file and puts it in its place, on this thread. */
function writeSmall(part: Buffer, path: Buffer, data: readonly Buffer[], mode: number, time: number): void {
  const descriptor = openSync(part, "wx");
  try {
    for (const piece of data) {
      for (let begin = 0; begin < piece.length;) begin += writeSync(descriptor, piece, begin);
    }
    fchmodSync(descriptor, mode);
    futimesSync(descriptor, time, time);
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, path);
}

async function writeAll(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let begin = 0; begin < data.length;) {
    const { bytesWritten } = await handle.write(data, begin, data.length - begin, position + begin);
    begin += bytesWritten;
  }
}

function join(directory: Buffer, name: string): Buffer {
  return Buffer.concat([directory, Buffer.from("/"), Buffer.from(name, "latin1")]);
}

function refused(entry: string, why: string): InvalidRequest {
  const subject = text(entry);
  return new InvalidRequest(`the entry's name ${why}: ${subject}`, { reason: "ENTRY_REFUSED", subject });
}

const smallBytes = 64 * 1024;
