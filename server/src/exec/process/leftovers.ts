import type { LeftoverMark } from "../launcher.ts";
import type { ControlGroups } from "./control-group.ts";
import { readBootId } from "./proc-stat.ts";
import type { ProcessTable } from "./process-table.ts";
import { createProcessTree } from "./process-tree.ts";

/**
 * Ends what was left running under these marks, all at once, and answers how many processes that were. A process is known
 * by its pid and start time, or by the mark in its environment; of another boot there is nothing left.
 */
export async function endLeftovers(
  marks: readonly LeftoverMark[],
  graceMs: number,
  { groups, table }: { readonly groups: ControlGroups; readonly table: ProcessTable },
): Promise<number> {
  const bootId = readBootId();
  const ofThisBoot = marks.filter((mark) => bootId !== undefined && mark.bootId === bootId);
  if (ofThisBoot.length === 0) return 0;
  const found = new Set<string>();
  const left = ofThisBoot.flatMap(({ mark }) => groups.leftBehind(mark));
  const tree = createProcessTree({
    table,
    roots: ofThisBoot.flatMap(({ pid, startTicks }) => (startTicks === undefined ? [] : [{ pid, startTicks }])),
    marks: ofThisBoot.map(({ mark }) => mark),
    groups: left,
    groupPids: () => left.flatMap((group) => group.pids()),
    sessions: () => [],
    hangsUp: true,
    onMember: ({ pid, startTicks }) => found.add(`${pid} ${startTicks}`),
  });
  await tree.end(graceMs);
  for (const group of left) group.release();
  return found.size;
}
