import type { Journal } from "./journal/journal.ts";
import { MOST_READ_BYTES, type OutputSource } from "./launcher.ts";
import type { Readers } from "./readers.ts";

/** How many bytes may be on their way to the journal before reading pauses. */
const MOST_IN_FLIGHT_BYTES = 1024 * 1024;
/** More than pipes hold, two of them and as large as the kernel lets a command make them. */
const MOST_IN_PIPES_BYTES = 2 * 1024 * 1024;

export interface OutputPumpOptions {
  readonly sources: readonly OutputSource[];
  readonly journal: Journal;
  readonly readers: Readers;
  /** Terminals lose bytes when they are paused, so they run free. */
  readonly mayHold: boolean;
  /** How many bytes may be printed in all; undefined for any number. */
  readonly maxBytes: number | undefined;
  readonly onOutput: (bytes: number) => void;
  readonly onOverLimit: () => void;
  /** Called when the command begins to be held back for a reader, and when it goes on. */
  readonly onHold: (isHeld: boolean) => void;
}

/**
 * Moves what a process prints into its journal. It stops reading while the journal is behind, and while the next bytes
 * would push out some that a reader still needs: the pipe fills, and the process waits in its write.
 */
export class OutputPump {
  readonly #options: OutputPumpOptions;
  readonly #open = new Set<OutputSource>();
  readonly #unsubscribe: () => void;
  #taken = 0;
  #restBytes = 0;
  #mayKeepMore = false;
  #inFlight = 0;
  #isHeld = false;
  #isPaused = false;
  #isDiscarding = false;
  #discarded = 0;
  #reads = 0;
  #appended: Promise<void> = Promise.resolve();
  /** Resolves when every holder of the pipes has closed them. */
  readonly closed: Promise<void>;
  readonly #onClosed: () => void;

  constructor(options: OutputPumpOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#onClosed = resolve;
    this.#unsubscribe = options.readers.relieved.subscribe(() => this.#balance());
    for (const source of options.sources) {
      this.#open.add(source);
      source.start(
        (chunk) => this.#take(source, chunk),
        () => this.#close(source),
      );
    }
  }

  /** How many bytes came after `discardRest`. */
  get discardedBytes(): number {
    return this.#discarded;
  }

  get isAtEnd(): boolean {
    return this.#open.size === 0;
  }

  /** Changes whenever bytes came: equal values around a wait mean that the pipes stood empty, unless `isPaused`. */
  get reads(): number {
    return this.#reads;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether it was more than a command can have left in the pipes that was read since `takeTheRest`. */
  get hasTakenTheRest(): boolean {
    return this.#restBytes >= MOST_IN_PIPES_BYTES;
  }

  /**
   * The command is gone, and its end is not to wait for a reader: where one would hold it, what it left in the pipes is
   * read beyond what is kept otherwise. Whoever is held after that is what it left running.
   */
  takeTheRest(): void {
    this.#restBytes = 0;
    this.#mayKeepMore = true;
    this.#balance();
  }

  /** Resolves when all that was read is in the journal. */
  flushed(): Promise<void> {
    return this.#appended;
  }

  /** From now on, what comes is read and thrown away, so that a background process does not die of a full pipe. */
  discardRest(): void {
    this.#isDiscarding = true;
    this.#balance();
  }

  destroy(): void {
    this.#unsubscribe();
    for (const source of this.#open) source.destroy();
    this.#open.clear();
    this.#onClosed();
  }

  #take(source: OutputSource, chunk: Buffer): void {
    this.#reads += 1;
    this.#restBytes += chunk.length;
    if (this.#isDiscarding) {
      this.#discarded += chunk.length;
      return;
    }
    this.#options.onOutput(chunk.length);
    const allowed = this.#allowed(chunk);
    if (allowed.length > 0) this.#append(source, allowed);
    if (allowed.length < chunk.length) this.#options.onOverLimit();
    this.#balance();
  }

  #allowed(chunk: Buffer): Buffer {
    const { maxBytes } = this.#options;
    if (maxBytes === undefined || this.#taken + chunk.length <= maxBytes) return chunk;
    return chunk.subarray(0, maxBytes - this.#taken);
  }

  #append(source: OutputSource, chunk: Buffer): void {
    this.#taken += chunk.length;
    this.#inFlight += chunk.length;
    this.#appended = this.#options.journal.append(source.stream, chunk).then(() => {
      this.#inFlight -= chunk.length;
      if (this.#isPaused) this.#balance();
    });
  }

  #close(source: OutputSource): void {
    this.#open.delete(source);
    if (this.#open.size > 0) return;
    this.#unsubscribe();
    this.#onClosed();
  }

  #balance(): void {
    if (this.#mayKeepMore && this.#wouldPushOutNeededBytes()) {
      this.#mayKeepMore = false;
      if (!this.hasTakenTheRest) this.#options.journal.keepMore(2 * MOST_IN_PIPES_BYTES);
    }
    const isHeld = !this.#isDiscarding && this.#options.mayHold && this.#wouldPushOutNeededBytes();
    if (isHeld !== this.#isHeld) {
      this.#isHeld = isHeld;
      this.#options.onHold(isHeld);
    }
    const isPaused = isHeld || (!this.#isDiscarding && this.#options.mayHold && this.#inFlight > MOST_IN_FLIGHT_BYTES);
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    for (const source of this.#open) {
      if (isPaused) source.pause();
      else source.resume();
    }
  }

  #wouldPushOutNeededBytes(): boolean {
    const { journal, readers } = this.#options;
    const beginCursor = journal.beginCursorAfter(this.#inFlight + MOST_READ_BYTES);
    if (beginCursor <= journal.beginCursor || beginCursor <= readers.neededCursor()) return false;
    // Where less is kept than may be under way, whoever has read all there is would wait for ever.
    return this.#inFlight > 0 || readers.areBehind(journal.endCursor);
  }
}
