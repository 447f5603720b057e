import type { TreeReport } from "../util/errors.ts";
import { pathText } from "./path-bytes.ts";

export function emptyReport(): TreeReport {
  return { files: 0, directories: 0, symlinks: 0, hardLinks: 0, contentBytes: 0, skipped: 0, skippedNames: [] };
}

/** Counts an entry that is passed over. */
export function skip(report: TreeReport, name: Uint8Array): void {
  report.skipped++;
  if (report.skippedNames.length < maxNames) report.skippedNames.push(pathText(name));
}

const maxNames = 100;
