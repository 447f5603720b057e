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
  /** Files that changed while they were moved: what arrived may be neither their old nor their new content. */
  changed: number;
  /** What a tree does not carry (devices, pipes, sockets), what may not be read or went away, links that lead out. */
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
    changed: 0,
    skipped: 0,
    skippedNames: [],
  };
}

export function skip(report: TreeReport, name: string): void {
  report.skipped++;
  if (report.skippedNames.length < 100) report.skippedNames.push(name);
}

/** Forgets what will be met again when a transfer is begun again. */
export function startRound(report: TreeReport): void {
  Object.assign(report, { unchanged: 0, changed: 0, skipped: 0, skippedNames: [] });
}

/** Adds what the server says it wrote, or passed over. */
export function addReport(report: TreeReport, wire: WireReport | undefined): void {
  if (wire === undefined) return;
  addSkipped(report, wire);
  report.files += Number(wire.files);
  report.directories += Number(wire.directories);
  report.symlinks += Number(wire.symlinks);
  report.hardLinks += Number(wire.hardLinks);
  report.contentBytes += Number(wire.contentBytes);
}

/** Adds what the server says it passed over. */
export function addSkipped(report: TreeReport, { skipped, skippedNames }: WireReport): void {
  report.skipped += Number(skipped);
  report.skippedNames = [...report.skippedNames, ...skippedNames].slice(0, 100);
}
