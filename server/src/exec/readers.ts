import { Notifier } from "../util/notifier.ts";

/**
 * How far behind the last byte sent a reader may really be: bytes under way in windows, buffers and proxies, which it
 * asks for again when its stream is cut.
 */
const MOST_UNDER_WAY_BYTES = 16 * 1024 * 1024;

export interface ReadersOptions {
  readonly stallTimeoutMs: number;
  readonly reconnectGraceMs: number;
  /** How much of the output is kept; what is held for bytes under way is at most half of it. */
  readonly keepBytes: number;
}

/**
 * Who reads an exec, and which bytes they still need. A reader that is attached and moves, or was cut off a moment ago,
 * keeps its bytes; one that stands still does not hold up the command for ever.
 */
export class Readers {
  /** Notified whenever a reader needs less than before: it moved, went, was dropped, or its grace is over. */
  readonly relieved = new Notifier();
  readonly #options: ReadersOptions;
  readonly #underWayBytes: number;
  readonly #attached = new Set<Reader>();
  readonly #cutOff = new Map<Reader, NodeJS.Timeout>();

  constructor(options: ReadersOptions) {
    this.#options = options;
    this.#underWayBytes = Math.min(MOST_UNDER_WAY_BYTES, Math.floor(options.keepBytes / 2));
  }

  /** How many streams are attached. */
  get size(): number {
    return this.#attached.size;
  }

  /** @param id takes the place of readers of the same id; empty for a reader of its own */
  attach(id: string, cursor: number): Reader {
    const reader = new Reader(id, cursor, () => this.relieved.notify());
    // A cut is often noticed here only after its reader has come back.
    for (const other of this.#attached) if (id !== "" && other.id === id) other.isReplaced = true;
    this.#attached.add(reader);
    for (const other of this.#cutOff.keys()) if (id !== "" && other.id === id) this.#forget(other);
    this.relieved.notify();
    return reader;
  }

  /** @param needsRest whether it went before the end, so that it may come back for the rest */
  detach(reader: Reader, needsRest: boolean): void {
    this.#attached.delete(reader);
    if (needsRest && !reader.isDropped && !reader.isReplaced) {
      const timer = setTimeout(() => this.#forget(reader), this.#options.reconnectGraceMs);
      timer.unref();
      this.#cutOff.set(reader, timer);
    }
    this.relieved.notify();
  }

  /** The cursor of the oldest byte that somebody still needs; Infinity where nobody needs any. */
  neededCursor(): number {
    let needed = Infinity;
    for (const reader of this.#attached) {
      if (!reader.isDropped && !reader.isReplaced) needed = Math.min(needed, reader.neededCursor(this.#underWayBytes));
    }
    for (const reader of this.#cutOff.keys()) needed = Math.min(needed, reader.neededCursor(this.#underWayBytes));
    return needed;
  }

  /** Whether somebody has yet to read what was printed, or to come back for it: only then can it be waited for. */
  areBehind(endCursor: number): boolean {
    if (this.#cutOff.size > 0) return true;
    for (const reader of this.#attached) {
      if (!reader.isDropped && !reader.isReplaced && reader.cursor < endCursor) return true;
    }
    return false;
  }

  /** Drops the readers that stood still too long with output waiting for them. */
  dropStanding(endCursor: number): void {
    const standingSince = performance.now() - this.#options.stallTimeoutMs;
    let dropped = false;
    for (const reader of this.#attached) {
      if (reader.isDropped || reader.cursor >= endCursor || !reader.standsStillSince(standingSince)) continue;
      reader.isDropped = true;
      dropped = true;
    }
    if (dropped) this.relieved.notify();
  }

  isAttached(id: string): boolean {
    if (id === "") return false;
    for (const reader of this.#attached) if (reader.id === id) return true;
    return false;
  }

  /** Forgets who was cut off; the exec is going away. */
  clear(): void {
    for (const reader of this.#cutOff.keys()) this.#forget(reader);
  }

  #forget(reader: Reader): void {
    clearTimeout(this.#cutOff.get(reader));
    this.#cutOff.delete(reader);
    this.relieved.notify();
  }
}

/** One stream's place in the output. */
export class Reader {
  readonly id: string;
  /** Whether it was given up because it stood still; its stream is told when it moves again. */
  isDropped = false;
  /** Whether another stream has taken its place; what it has not read then needs no holding. */
  isReplaced = false;
  readonly #startCursor: number;
  readonly #onMove: () => void;
  #cursor: number;
  #standingSince: number | undefined;

  constructor(id: string, cursor: number, onMove: () => void) {
    this.id = id;
    this.#startCursor = cursor;
    this.#cursor = cursor;
    this.#onMove = onMove;
  }

  /** Everything before it was handed to the transport. */
  get cursor(): number {
    return this.#cursor;
  }

  /** An event was handed to the transport, which takes the next one when its peer reads. */
  handedOver(): void {
    this.#standingSince = performance.now();
  }

  /** The transport asked for the next event. */
  movedTo(cursor: number): void {
    this.#standingSince = undefined;
    this.#cursor = cursor;
    this.#onMove();
  }

  standsStillSince(time: number): boolean {
    return this.#standingSince !== undefined && this.#standingSince <= time;
  }

  neededCursor(underWayBytes: number): number {
    return Math.max(this.#startCursor, this.#cursor - underWayBytes);
  }
}
