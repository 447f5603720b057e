import type { Progress } from "./render-progress.ts";
import { renderProgress } from "./render-progress.ts";

/** How often the line is drawn at most, and over which stretch of time the rate is taken. */
const everyMs = 100;
const rateMs = 5_000;

/**
 * A line on standard error that shows how far something is; nothing where that is no terminal, or one that cannot go back
 * to the beginning of a line.
 */
export class ProgressLine {
  readonly #isShown: boolean;
  readonly #stream = process.stderr;
  readonly #beganAt = performance.now();
  #label: string;
  readonly #amount: Progress["amount"];
  readonly #samples: { readonly at: number; readonly done: number }[] = [];
  #done = 0;
  #total: number | undefined;
  #drawnAt = -Infinity;
  #isDrawn = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(label: string, { quiet = false, amount }: { quiet?: boolean; amount?: Progress["amount"] } = {}) {
    this.#label = label;
    this.#amount = amount;
    this.#isShown = !quiet && this.#stream.isTTY && process.env["TERM"] !== "dumb";
    // Where nothing comes any more, the line is to say so.
    if (this.#isShown) this.#timer = setInterval(() => this.#tick(), 1_000).unref();
  }

  /** Whether there is anybody to show it to. */
  get isShown(): boolean {
    return this.#isShown;
  }

  /** Another name begins another count. */
  set label(label: string) {
    if (label === this.#label) return;
    this.#label = label;
    this.#samples.length = 0;
    this.#drawnAt = -Infinity;
  }

  update(done: number, total: number | undefined): void {
    if (!this.#isShown) return;
    const now = performance.now();
    [this.#done, this.#total] = [done, total];
    const last = this.#samples.at(-1);
    if (last !== undefined && done < last.done) this.#samples.length = 0;
    if (last === undefined || now - last.at >= everyMs) this.#samples.push({ at: now, done });
    while (this.#samples.length > 2 && now - (this.#samples[0]?.at ?? now) > rateMs) this.#samples.shift();
    if (now - this.#drawnAt >= everyMs) this.#draw(now, false);
  }

  /** Leaves the line as it stands at the end. */
  finish(): void {
    clearInterval(this.#timer);
    if (!this.#isShown) return;
    this.#draw(performance.now(), true);
    this.#stream.write("\n");
    this.#isDrawn = false;
  }

  /** Takes the line away. */
  clear(): void {
    clearInterval(this.#timer);
    if (this.#isDrawn) this.#stream.write("\r\u001b[K");
    this.#isDrawn = false;
  }

  #tick(): void {
    const now = performance.now();
    if (this.#isDrawn && now - this.#drawnAt >= 500) this.#draw(now, false);
  }

  #draw(now: number, isFinished: boolean): void {
    const elapsedMs = now - this.#beganAt;
    const rate = isFinished ? this.#done / Math.max(elapsedMs / 1_000, 0.001) : this.#rate(now);
    const state = { label: this.#label, done: this.#done, total: this.#total, rate, elapsedMs, isFinished };
    const line = renderProgress(
      { ...state, ...(this.#amount && { amount: this.#amount }) },
      this.#stream.columns || 80,
    );
    this.#stream.write(`\r${line}\u001b[K`);
    this.#drawnAt = now;
    this.#isDrawn = true;
  }

  /** What came over in the last seconds; what an earlier run had moved does not count. */
  #rate(now: number): number | undefined {
    const first = this.#samples[0];
    if (first === undefined || now - first.at < 2 * everyMs) return undefined;
    return ((this.#done - first.done) / (now - first.at)) * 1_000;
  }
}
