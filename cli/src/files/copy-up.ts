import { realpath, stat } from "node:fs/promises";
import { Failure } from "../frame/failure.ts";
import type { Copying } from "./copy-options.ts";
import { compareBy, shownBy, succeeded, tellReport, tellUnmoved, withProgress } from "./copy-options.ts";
import { sha256File } from "./digest.ts";
import { joinPath, lastName, saysDirectory, statThere } from "./operand.ts";
import type { Operand } from "./operand.ts";
import { textPath } from "./text-path.ts";
import { Unfinished } from "./unfinished.ts";

type Path = string | Buffer;

/** Copies a file, a tree or standard input into the workspace; with `isInto` into the target, under its own name. */
export async function copyUp(
  copying: Copying,
  source: Exclude<Operand, { kind: "remote" }>,
  target: Path,
  isInto: boolean,
): Promise<void> {
  if (source.kind === "pipe") return copyInput(copying, target);
  const { path } = source;
  const isDirectory = (await stat(path)).isDirectory();
  const isThere = (await statThere(copying.workspace, target, { signal: copying.signal }))?.isDirectory() === true;
  if (isDirectory) return copyTree(copying, path, target, { isInto, isThere });
  await copyFile(copying, path, isInto || isThere ? joinPath(target, lastName(path)) : target);
}

async function copyInput(copying: Copying, target: Path): Promise<void> {
  const { workspace, options, signal } = copying;
  if (saysDirectory(target)) throw new Failure("standard input needs the name of a file to go to");
  // What a pipe brought is gone: there is nothing to go on with later.
  await withProgress(copying, "-", async (line) => {
    const digest = options.checksum ? ("sha256" as const) : undefined;
    const how = { ifAbsent: options.noClobber, digest, onProgress: shownBy(line), signal };
    succeeded(await workspace.fileUpload(process.stdin, target, how));
  });
}

async function copyFile(copying: Copying, source: Path, target: Path): Promise<void> {
  const { workspace, options, signal } = copying;
  const name = lastName(source);
  const here = await stat(source, { bigint: true });
  const there = await statThere(workspace, target, { sha256: options.checksum, signal });
  if (there !== undefined && options.noClobber) return tellUnmoved(copying, name, "something has this name there");
  // A pipe gives its bytes but once: they are hashed on the way.
  const digest = options.checksum ? ("sha256" as const) : undefined;
  const sha256 = options.checksum && here.isFile() ? await sha256File(source) : undefined;
  if (there?.isFile() === true && BigInt(there.size) === here.size && there.mode === Number(here.mode & 0o7777n)) {
    const isSame = sha256 ? there.sha256?.equals(sha256) : there.mtimeNs / 1000n === here.mtimeNs / 1000n;
    if (isSame === true) return tellUnmoved(copying, name, "is there already");
  }
  await using local = await textPath(source);
  await withProgress(copying, name, async (line) => {
    const how = { ifAbsent: options.noClobber, digest, sha256, resume: true, onProgress: shownBy(line), signal };
    succeeded(await workspace.fileUpload(local.path, target, how));
  });
}

async function copyTree(
  copying: Copying,
  source: Path,
  target: Path,
  { isInto, isThere }: { isInto: boolean; isThere: boolean },
): Promise<void> {
  const { workspace, options, signal } = copying;
  const { exclude, gitignore } = options;
  const name = lastName(source);
  const unfinishedTo = async (path: Path): Promise<Unfinished> =>
    new Unfinished(JSON.stringify(workspace), await realpath(source, { encoding: "buffer" }), path);
  const isOurs = !isThere || (await (await unfinishedTo(target)).isKnown());
  const to = name.length === 0 || (!isInto && isOurs) ? target : joinPath(target, name);
  const unfinished = await unfinishedTo(to);
  // One that was there before keeps the mode and time that it had.
  const top = (await unfinished.isKnown()) || !(await workspace.fs.exists(to, { signal }));
  if (top) await unfinished.begin();
  await using local = await textPath(source);
  const report = await withProgress(copying, name.length > 0 ? name : source, async (line) => {
    // An empty tree is a directory, too.
    await workspace.fs.mkdir(to, { recursive: true, signal });
    const how = {
      exclude,
      gitignore,
      top,
      resume: true,
      compare: compareBy(options),
      onProgress: shownBy(line),
      signal,
    };
    return workspace.fs.uploadTree(local.path, to, how);
  });
  await unfinished.end();
  await tellReport(source, report);
}
