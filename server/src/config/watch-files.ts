import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** What a file held when it was last looked at; an error where it could not be read. */
export type FileContent = Buffer | Error;

/**
 * Reads small files again every second and calls back with all of them when one has changed; returns what stops it.
 *
 * It reads instead of watching, since no watcher sees every way in which a file is replaced (a rename over it, a symlink
 * swapped above it as Kubernetes does it, an edit in place within the clock's grain), and a few kilobytes cost nothing.
 */
export function watchFiles(
  paths: readonly string[],
  initial: readonly FileContent[],
  onChange: (contents: FileContent[]) => void,
  intervalMs = 1_000,
): () => void {
  const abort = new AbortController();
  void poll(paths, initial, onChange, intervalMs, abort.signal).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  return () => abort.abort();
}

export async function readFiles(paths: readonly string[]): Promise<FileContent[]> {
  return await Promise.all(paths.map((path) => readFile(path).catch((error: unknown) => error as Error)));
}

async function poll(
  paths: readonly string[],
  initial: readonly FileContent[],
  onChange: (contents: FileContent[]) => void,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  let known = initial.map(fingerprint);
  for (;;) {
    await sleep(intervalMs, undefined, { signal, ref: false });
    let contents = await readFiles(paths);
    if (isSame(known, contents)) continue;
    // Perhaps in the middle of being written: take it when it stands still.
    let before: string[];
    do {
      before = contents.map(fingerprint);
      await sleep(settleMs, undefined, { signal, ref: false });
      contents = await readFiles(paths);
    } while (!isSame(before, contents));
    if (isSame(known, contents)) continue;
    known = before;
    onChange(contents);
  }
}

function isSame(known: readonly string[], contents: readonly FileContent[]): boolean {
  return contents.every((content, index) => fingerprint(content) === known[index]);
}

function fingerprint(content: FileContent): string {
  return content instanceof Error ? `error ${(content as NodeJS.ErrnoException).code}` : content.toString("base64");
}

const settleMs = 100;
