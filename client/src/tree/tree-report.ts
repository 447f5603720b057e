import type { TreeReport as WireReport } from "@yonder/proto";

/** What a transfer of a tree did. */
export interface TreeReport {
  /** Regular files that were moved. */
  files: number;
  directories: number;
  symlinks: number;
  /** Further names of files that were moved already. */
  hardLinks: number;
  contentBytes: number;
  /** What was there already, of the same kind, size and time, and was not moved. */
  unchanged: number;
  /** What a tree does not carry (devices, pipes, sockets), what went away meanwhile, links that lead out. */
  skipped: number;
  /** The names of the first 100 of those. */
  skippedNames: string[];
}

export function emptyReport(): TreeReport {
  return {
    files: 0,
    directories: 0,
    symlinks: 0,
    hardLinks: 0,
    contentBytes: 0,
    unchanged: 0,
    skipped: 0,
    skippedNames: [],
  };
}

export function skip(report: TreeReport, name: string): void {
  report.skipped++;
  if (report.skippedNames.length < 100) report.skippedNames.push(name);
}

/** Adds what the server says it did. */
export function addReport(report: TreeReport, wire: WireReport | undefined): void {
  if (wire === undefined) return;
  report.files += Number(wire.files);
  report.directories += Number(wire.directories);
  report.symlinks += Number(wire.symlinks);
  report.hardLinks += Number(wire.hardLinks);
  report.contentBytes += Number(wire.contentBytes);
  report.skipped += Number(wire.skipped);
  report.skippedNames = [...report.skippedNames, ...wire.skippedNames].slice(0, 100);
}
