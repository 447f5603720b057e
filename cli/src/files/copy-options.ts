import type { FileOperationResult, OnProgress, TreeReport, Workspace } from "@yonder/client";
import { Failure } from "../frame/failure.ts";
import { nameText } from "../output/names.ts";
import { ProgressLine } from "../output/progress-line.ts";
import { writeError } from "../output/write.ts";

/** What the options of `cp` come to. */
export interface CopyOptions {
  readonly noClobber: boolean;
  readonly checksum: boolean;
  readonly gitignore: boolean;
  readonly exclude: readonly string[];
  readonly outsideLinks: boolean;
  readonly quiet: boolean;
}

/** A copy under way. */
export interface Copying {
  readonly workspace: Workspace;
  readonly options: CopyOptions;
  readonly signal: AbortSignal;
}

/** Does a transfer with its progress shown under a name. */
export async function withProgress<T>(
  { options: { quiet } }: Copying,
  name: string | Buffer,
  act: (line: ProgressLine) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine(name.toString(), { quiet });
  try {
    const result = await act(line);
    line.finish();
    return result;
  } catch (error) {
    line.clear();
    if (error instanceof Error && saysNoName.test(error.message)) error.message = `${nameText(name)}: ${error.message}`;
    throw error;
  }
}

/** What the system says of a file that is open already: "ENOSPC: no space left on device, write", of a pipe "write EPIPE". */
const saysNoName = /^E[A-Z0-9]+: [^']*, [a-z]+$|^write E[A-Z0-9]+$/;

/** Tells a line of a transfer's progress; undefined where nobody sees it, so that nothing is counted for it. */
export function shownBy(line: ProgressLine): OnProgress | undefined {
  if (!line.isShown) return undefined;
  return ({ transferredBytes, totalBytes }) => line.update(transferredBytes, totalBytes);
}

/** Throws what a result says went wrong. */
export function succeeded(result: FileOperationResult): void {
  if (result.success) return;
  throw Object.assign(new Failure(result.error ?? "the file could not be moved"), { code: result.code });
}

/** How it is found out what of a tree is there already. */
export function compareBy({ checksum, noClobber }: CopyOptions): "digest" | "name" | "time" {
  return noClobber ? "name" : checksum ? "digest" : "time";
}

/** Says that a file was not moved, where somebody watches. */
export async function tellUnmoved({ options: { quiet } }: Copying, name: string | Buffer, why: string): Promise<void> {
  if (!quiet && process.stderr.isTTY) await writeError(`${nameText(name)}: ${why}\n`);
}

/** Says what of a tree was not carried. Throws where files of it changed under the copy. */
export async function tellReport(name: string | Buffer, report: TreeReport): Promise<void> {
  await tellSkipped(name, report);
  const { changed } = report;
  if (changed === 0) return;
  const what = changed === 1 ? "1 file" : `${changed} files`;
  throw new Failure(`${what} of ${nameText(name)} changed while it was copied: copy it again once it is at rest`);
}

async function tellSkipped(name: string | Buffer, { skipped, skippedNames }: TreeReport): Promise<void> {
  if (skipped === 0) return;
  const more = skipped > skippedNames.length ? " …" : "";
  const what = skipped === 1 ? "1 entry was" : `${skipped} entries were`;
  await writeError(
    `yonder: ${what} passed over in ${nameText(name)} (devices, pipes, sockets, what may not be read, links that lead out of it): ` +
      `${skippedNames.map(nameText).join(", ")}${more}\n`,
  );
}
