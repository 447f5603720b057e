import type { Result, Row, Target } from "./benchmark.ts";

/** A target and whether it was reached. */
export interface Verdict extends Target {
  readonly reached: boolean;
  /** Undefined where there is no stretch. */
  readonly stretchReached?: boolean;
}

/** A row beside its floor and the best of the peers. */
export interface Compared {
  /** What each value is, divided by the floor's. */
  readonly ratios: readonly number[];
  /** The first value, divided by the best peer's; undefined where there is none. */
  readonly peerRatio?: number;
  readonly verdict?: Verdict;
}

/** Divides a row by its floor and by the best peer, and says whether it reached its target. */
export function compare(result: Result, row: Row): Compared {
  const floor = floorOf(result, row);
  const ratios = row.values.map((value, column) => value / (floor?.values[column] ?? Number.NaN));
  const peer = row.role === "yonder" ? bestPeer(result) : undefined;
  const peerRatio =
    peer === undefined ? {} : { peerRatio: (row.values[0] ?? Number.NaN) / (peer.values[0] ?? Number.NaN) };
  return { ratios, ...peerRatio, ...(row.target && { verdict: judge(result, row, row.target, ratios, peerRatio) }) };
}

/** The row that another is divided by. */
export function floorOf({ rows }: Result, row: Row): Row | undefined {
  return rows.find(({ role, who }) => role === "floor" && (row.floor === undefined || who === row.floor));
}

/** Who does it best of those that people use instead. */
export function bestPeer({ rows, better }: Result): Row | undefined {
  const sign = better === "higher" ? 1 : -1;
  const peers = rows.filter(({ role }) => role === "peer");
  return peers.toSorted((a, b) => sign * ((b.values[0] ?? 0) - (a.values[0] ?? 0)))[0];
}

/** A target in a few characters, and whether it was reached. */
export function describeVerdict({ better }: Result, verdict: Verdict): string {
  const sign = better === "higher" ? "≥" : "≤";
  const bounds = [
    ...(verdict.ratio === undefined ? [] : [`${sign} ${verdict.ratio}`]),
    ...(verdict.values === undefined ? [] : [`${sign} ${verdict.values.join(" and ")}`]),
    ...(verdict.aheadOfPeers === true ? ["ahead of peers"] : []),
  ].join(" and ");
  const more = verdict.stretchReached === true ? `, ${verdict.stretch} too` : "";
  return `${bounds}: ${verdict.reached ? "reached" : "missed"}${more}`;
}

function judge(
  { better }: Result,
  row: Row,
  target: Target,
  [ratio = Number.NaN]: readonly number[],
  { peerRatio }: { readonly peerRatio?: number },
): Verdict {
  const isWithin = (value: number, bound: number): boolean => (better === "higher" ? value >= bound : value <= bound);
  const reached =
    (target.ratio === undefined || isWithin(ratio, target.ratio)) &&
    (target.values ?? []).every((bound, column) => isWithin(row.values[column] ?? Number.NaN, bound)) &&
    (target.aheadOfPeers !== true || peerRatio === undefined || isWithin(peerRatio, 1));
  const stretch = target.stretch === undefined ? {} : { stretchReached: isWithin(ratio, target.stretch) };
  return { ...target, reached, ...stretch };
}
