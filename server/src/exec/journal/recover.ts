import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Segment } from "./segment.ts";
import { parseSegmentName } from "./segment-name.ts";

/** The names of the journals that have files in a directory. */
export async function journalNames(directory: string): Promise<Set<string>> {
  const names = (await readdir(directory)).map((file) => parseSegmentName(file)?.journal);
  return new Set(names.filter((name) => name !== undefined));
}

/**
 * The segments that an earlier server kept of a journal. Only the newest is scanned for its end; that of the others is
 * where the next begins. A file without a whole header, made just before the server was killed, is deleted.
 */
export async function recoverSegments(directory: string, name: string): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const path of await segmentPaths(directory, name)) {
    const segment = await Segment.open(path);
    if (segment === undefined) {
      await unlink(path).catch(() => undefined);
    } else {
      segments.at(-1)?.endAt(segment.start);
      segments.push(segment);
    }
  }
  await segments.at(-1)?.scan();
  return segments;
}

/** Deletes the files that an earlier server kept of a journal. */
export async function removeSegments(directory: string, name: string): Promise<void> {
  for (const path of await segmentPaths(directory, name)) await unlink(path).catch(() => undefined);
}

async function segmentPaths(directory: string, name: string): Promise<string[]> {
  const files = (await readdir(directory)).flatMap((file) => {
    const parsed = parseSegmentName(file);
    return parsed?.journal === name ? [{ file, number: parsed.number }] : [];
  });
  return files.toSorted((a, b) => a.number - b.number).map(({ file }) => join(directory, file));
}
