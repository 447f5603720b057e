import { type Position, START } from "./record.ts";

/** How many places are remembered; past it every second one is forgotten. */
const MAX_POSITIONS = 512;

/**
 * Remembers where output that is gone was cut, so that a reader who asks for it can be told how much of it was standard
 * output. Exact at the cuts and where only one stream was printed; in between the streams are taken as evenly mixed.
 */
export class LostPositions {
  #positions: Position[] = [START];

  add(position: Position): void {
    if (position.cursor <= (this.#positions.at(-1)?.cursor ?? 0)) return;
    this.#positions.push(position);
    if (this.#positions.length > MAX_POSITIONS) this.#positions = this.#positions.filter((_, i) => i % 2 === 0);
  }

  /** How much standard output came before a cursor that lies before `begin`. */
  stdoutBytesAt(cursor: number, begin: Position): number {
    const after = this.#positions.findIndex((position) => position.cursor > cursor);
    const upper = after < 0 ? begin : (this.#positions[after] ?? begin);
    const lower = (after < 0 ? this.#positions.at(-1) : this.#positions[after - 1]) ?? START;
    if (upper.cursor <= lower.cursor) return upper.stdoutBytes;
    const share = (cursor - lower.cursor) / (upper.cursor - lower.cursor);
    return lower.stdoutBytes + Math.round(share * (upper.stdoutBytes - lower.stdoutBytes));
  }
}
