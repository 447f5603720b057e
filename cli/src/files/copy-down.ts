import { createHash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { Stats } from "node:fs";
import { lstat, realpath, rename, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { FileStats } from "@yonder/client";
import { makeDirectories } from "@yonder/transfer";
import { Failure } from "../frame/failure.ts";
import { nameText } from "../output/names.ts";
import type { Copying } from "./copy-options.ts";
import { compareBy, shownBy, succeeded, tellReport, tellUnmoved, withProgress } from "./copy-options.ts";
import { sha256File } from "./digest.ts";
import { openPipe } from "./open-pipe.ts";
import { joinPath, lastName, parentOf } from "./operand.ts";
import type { Operand } from "./operand.ts";
import { textPath } from "./text-path.ts";
import { Unfinished } from "./unfinished.ts";

type Path = string | Buffer;

/** Copies a file or a tree out of the workspace; with `isInto` into the target, under its own name. */
export async function copyDown(
  copying: Copying,
  source: Path,
  target: Exclude<Operand, { kind: "remote" }>,
  isInto: boolean,
): Promise<void> {
  const { workspace, options, signal } = copying;
  const there = await workspace.fs.stat(source, { sha256: options.checksum, signal });
  if (target.kind === "pipe") return copyOutput(copying, source, there);
  const { path } = target;
  const here = await stat(path).catch(() => undefined);
  const isThere = here?.isDirectory() === true;
  if (there.isDirectory()) return copyTree(copying, source, path, { isInto, isThere });
  // A pipe or a device is written to, never replaced.
  if (here !== undefined && !isThere && !here.isFile()) return copyIntoSpecial(copying, source, path, here);
  await copyFile(copying, source, there, isInto || isThere ? joinPath(path, lastName(source)) : path);
}

async function copyOutput(copying: Copying, source: Path, there: FileStats): Promise<void> {
  const { workspace, signal } = copying;
  if (there.isDirectory()) {
    throw new Failure(
      `${nameText(source)} is a directory, and standard output takes a file: name a directory to go to`,
    );
  }
  // On a terminal the bar would stand among the bytes.
  const quiet = copying.options.quiet || process.stdout.isTTY;
  await withProgress({ ...copying, options: { ...copying.options, quiet } }, lastName(source), async (line) => {
    succeeded(await workspace.fileDownload(source, process.stdout, { onProgress: shownBy(line), signal }));
  });
}

async function copyIntoSpecial(copying: Copying, source: Path, target: Path, here: Stats): Promise<void> {
  const { workspace, signal } = copying;
  await withProgress(copying, lastName(source), async (line) => {
    const stream = here.isFIFO() ? await openPipe(target, signal) : createWriteStream(target);
    const closed = once(stream, "close");
    // The download itself rejects where this does.
    closed.catch(() => {});
    succeeded(await workspace.fileDownload(source, stream, { onProgress: shownBy(line), signal }));
    stream.end();
    await closed;
  });
}

async function copyFile(copying: Copying, source: Path, there: FileStats, named: Path): Promise<void> {
  const { workspace, options, signal } = copying;
  const name = lastName(source);
  // Of a link, the file that it leads to is replaced.
  const target = await realpath(named, { encoding: "buffer" }).catch(() => named);
  const here = await lstat(target, { bigint: true }).catch(() => undefined);
  if (here !== undefined && options.noClobber) return tellUnmoved(copying, name, "something has this name here");
  if (here?.isFile() === true && here.size === BigInt(there.size) && Number(here.mode & 0o7777n) === there.mode) {
    const isSame = options.checksum
      ? there.sha256?.equals(await sha256File(target))
      : here.mtimeNs / 1000n === there.mtimeNs / 1000n;
    if (isSame === true) return tellUnmoved(copying, name, "is here already");
  }
  await withProgress(copying, name, async (line) => {
    await writtenTo(target, async (path) => {
      const result = await workspace.fileDownload(source, path, { resume: true, onProgress: shownBy(line), signal });
      succeeded(result);
      if (result.changed === true) {
        throw new Failure(`${nameText(source)} changed while it was copied: copy it again once it is at rest`);
      }
      if (options.checksum && there.sha256?.equals(await sha256File(path)) === false) {
        throw new Failure(`${nameText(target)} has another SHA-256 than ${nameText(source)} had: copy it again`);
      }
    });
  });
}

/** Writes to a path that is text; where the target's is not, to one beside it that then takes its name. */
async function writtenTo(target: Path, write: (path: string) => Promise<void>): Promise<void> {
  if (typeof target === "string" || isUtf8(target)) return write(target.toString());
  const parent = parentOf(target);
  await makeDirectories(parent);
  await using directory = await textPath(parent);
  // The same name each time, so that a copy that was broken off is found again.
  const name = `.yonder-copy-${createHash("sha256").update(target).digest("hex").slice(0, 24)}`;
  await write(`${directory.path}/${name}`);
  await rename(`${directory.path}/${name}`, target);
}

async function copyTree(
  copying: Copying,
  source: Path,
  target: Path,
  { isInto, isThere }: { isInto: boolean; isThere: boolean },
): Promise<void> {
  const { workspace, options, signal } = copying;
  const { exclude, gitignore, outsideLinks: allowOutsideLinks } = options;
  const name = lastName(source);
  const unfinishedTo = (path: Path): Unfinished => new Unfinished(JSON.stringify(workspace), source, absolute(path));
  const isOurs = !isThere || (await unfinishedTo(target).isKnown());
  const to = name.length === 0 || (!isInto && isOurs) ? target : joinPath(target, name);
  const unfinished = unfinishedTo(to);
  if ((await stat(to).catch(() => undefined)) === undefined) await unfinished.begin();
  if (typeof to !== "string") await makeDirectories(to);
  await using local = await textPath(to);
  const report = await withProgress(copying, name.length > 0 ? name : source, async (line) => {
    const how = {
      exclude,
      gitignore,
      allowOutsideLinks,
      resume: true,
      compare: compareBy(options),
      onProgress: shownBy(line),
      signal,
    };
    // What a link leads to is meant, where it is named itself.
    return workspace.fs.downloadTree(joinPath(source, "."), local.path, how);
  });
  await unfinished.end();
  await tellReport(source, report);
}

function absolute(path: Path): Path {
  return typeof path === "string" ? resolve(path) : joinPath(process.cwd(), path);
}
