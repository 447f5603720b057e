import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Segment } from "./segment.ts";
import { parseSegmentName } from "./segment-name.ts";

/** The files of each journal in a directory, in their order. */
export async function journalFiles(directory: string): Promise<Map<string, string[]>> {
  const files = (await readdir(directory)).flatMap((file) => {
    const parsed = parseSegmentName(file);
    return parsed === undefined ? [] : [{ ...parsed, path: join(directory, file) }];
  });
  const byJournal = Map.groupBy(files, ({ journal }) => journal);
  return new Map(
    [...byJournal].map(([journal, segments]) => [
      journal,
      segments.toSorted((a, b) => a.number - b.number).map(({ path }) => path),
    ]),
  );
}

/**
 * The segments that an earlier server kept of a journal. Only the newest is scanned for its end; that of the others is
 * where the next begins. A file without a whole header, made just before the server was killed, is deleted.
 */
export async function recoverSegments(paths: readonly string[]): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const path of paths) {
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
