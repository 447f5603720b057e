import { join } from "node:path";
import { LostPositions } from "./lost-positions.ts";
import type { Batch } from "./memory-tail.ts";
import type { Position } from "./record.ts";
import { Segment } from "./segment.ts";
import { segmentName } from "./segment-name.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-file.ts";

const MIN_SEGMENT_BYTES = 64 * 1024;
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
/** The oldest segment goes as a whole, so this share of the cap is what may be kept beyond it. */
const SEGMENTS_PER_JOURNAL = 16;
/** The most that is written at once. */
const MAX_BATCH_BYTES = 1024 * 1024;

/** The files of a journal, oldest first, each beginning where the one before ends. */
export class SegmentList {
  readonly #directory: string;
  readonly #name: string;
  #keepBytes: number;
  readonly #segmentBytes: number;
  readonly #segments: Segment[];
  readonly #lost = new LostPositions();
  #created = 0;
  #bytes: number;

  constructor(options: { directory: string; name: string; keepBytes: number }, segments: Segment[] = []) {
    this.#directory = options.directory;
    this.#name = options.name;
    this.#keepBytes = options.keepBytes;
    const share = Math.floor(options.keepBytes / SEGMENTS_PER_JOURNAL);
    this.#segmentBytes = Math.max(MIN_SEGMENT_BYTES, Math.min(MAX_SEGMENT_BYTES, share));
    this.#segments = segments;
    this.#bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get begin(): Position | undefined {
    return this.#segments[0]?.start;
  }

  get end(): Position | undefined {
    return this.#segments.at(-1)?.end;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many bytes the next batch should have: what is free in the newest segment, up to a bound. */
  get batchBytes(): number {
    const newest = this.#segments.at(-1);
    const free = newest?.writable === true ? this.#segmentBytes - newest.bytes : 0;
    return Math.min(MAX_BATCH_BYTES, free > 0 ? free : this.#segmentBytes);
  }

  async append(batch: Batch): Promise<void> {
    const segment = this.#newestWithRoom() ?? (await this.#startSegment(batch.start));
    const before = segment.bytes;
    await segment.append(batch);
    this.#bytes += segment.bytes - before;
    this.#keepToCap();
  }

  /** Appends at once where that needs no new segment but the first; returns whether it did. */
  appendSync(batch: Batch): boolean {
    if (this.#segments.length === 0) this.#createSegment(batch.start);
    const segment = this.#newestWithRoom();
    if (segment === undefined) return false;
    const before = segment.bytes;
    segment.appendSync(batch);
    this.#bytes += segment.bytes - before;
    this.#keepToCap();
    return true;
  }

  /** Where `begin` comes to stand at most if `more` encoded bytes are written; undefined if all that is here would go. */
  beginAfter(more: number): number | undefined {
    let kept = this.#bytes + more + SEGMENT_HEADER_BYTES * Math.ceil(1 + more / this.#segmentBytes);
    for (const segment of this.#segments) {
      kept -= segment.bytes;
      if (kept < this.#keepBytes) return segment.start.cursor;
    }
    return undefined;
  }

  /** The segment that holds the cursor. */
  find(cursor: number): Segment | undefined {
    return this.#segments.findLast((segment) => segment.start.cursor <= cursor);
  }

  includes(segment: Segment): boolean {
    return this.#segments.includes(segment);
  }

  /** How much standard output came before a cursor that is no longer kept. */
  lostStdoutBytesAt(cursor: number, begin: Position): number {
    return this.#lost.stdoutBytesAt(cursor, begin);
  }

  /** Deletes the oldest segment unless it is the newest too; returns how many bytes that were. */
  dropOldest(): number {
    return this.#segments.length > 1 ? this.#drop() : 0;
  }

  /** Deletes the segment and all before it. */
  dropThrough(segment: Segment): void {
    while (this.#segments.includes(segment)) this.#drop();
  }

  /** Deletes all segments. */
  dropAll(): void {
    while (this.#segments.length > 0) this.#drop();
  }

  /** Writes no more to the newest segment; the next append begins another. */
  async seal(): Promise<void> {
    const newest = this.#segments.at(-1);
    await newest?.seal();
    // Created, but then not even the header could be written.
    if (newest?.bytes === 0) this.#drop(newest);
  }

  #newestWithRoom(): Segment | undefined {
    const newest = this.#segments.at(-1);
    return newest?.writable === true && newest.bytes < this.#segmentBytes ? newest : undefined;
  }

  async #startSegment(start: Position): Promise<Segment> {
    await this.#segments.at(-1)?.seal();
    return this.#createSegment(start);
  }

  #createSegment(start: Position): Segment {
    const segment = Segment.create(join(this.#directory, segmentName(this.#name, this.#created)), start);
    this.#created++;
    this.#segments.push(segment);
    return segment;
  }

  /** Keeps so many bytes more from now on. */
  keepMore(bytes: number): void {
    this.#keepBytes += bytes;
  }

  #keepToCap(): void {
    for (;;) {
      const oldest = this.#segments[0];
      if (oldest === undefined || this.#bytes - oldest.bytes < this.#keepBytes || this.dropOldest() === 0) return;
    }
  }

  #drop(segment = this.#segments[0]): number {
    if (segment === undefined) return 0;
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    this.#bytes -= segment.bytes;
    this.#lost.add(segment.end);
    segment.unlink();
    return segment.bytes;
  }
}
