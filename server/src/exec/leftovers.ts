import type { Launcher, LeftoverMark } from "./launcher.ts";

/** Of how many execs it is remembered what they may have left running; the oldest are forgotten first. */
const MOST_REMEMBERED = 10_000;
/** How long they have to end by themselves, where there is time. */
export const LEFTOVERS_GRACE_MS = 2_000;

/** What commands may have left running in the background, for when the server stops. */
export class Leftovers {
  readonly #marks = new Map<string, LeftoverMark>();

  remember(mark: LeftoverMark): void {
    this.#marks.set(mark.mark, mark);
    if (this.#marks.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#marks.keys();
    if (oldest !== undefined) this.#marks.delete(oldest);
  }

  async end(launcher: Launcher, graceMs: number): Promise<void> {
    const marks = [...this.#marks.values()];
    if (marks.length > 0) await launcher.endLeftovers(marks, graceMs);
    this.#marks.clear();
  }
}
