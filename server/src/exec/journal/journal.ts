import { setImmediate } from "node:timers/promises";
import { isMissing, systemCode } from "../../files/errno.ts";
import { OutOfRange } from "../../util/errors.ts";
import type { OutputStream } from "../spec.ts";
import { ChunkCollector, type JournalChunk, type Lender } from "./chunks.ts";
import { type Batch, MemoryTail } from "./memory-tail.ts";
import { encodedBytes, type Position, START } from "./record.ts";
import { journalFiles, recoverSegments } from "./recover.ts";
import type { Segment } from "./segment.ts";
import { SegmentList } from "./segment-list.ts";

export type { JournalChunk, Lender } from "./chunks.ts";

export interface JournalOptions {
  /** Where the files go. */
  readonly directory: string;
  /** What their names begin with; given once in a directory. */
  readonly name: string;
  /** How many of the newest bytes are kept in memory, record headers included. */
  readonly memoryBytes: number;
  /** How many of the newest bytes are kept in files, record headers included. */
  readonly keepBytes: number;
}

/** Bytes that were asked for and are no longer kept. */
export interface JournalLost {
  readonly beginCursor: number;
  readonly endCursor: number;
  /** How they were shared by the streams: an estimate where both were printed and `beginCursor` is not 0. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

export interface JournalRead {
  readonly lost: JournalLost | undefined;
  readonly chunks: JournalChunk[];
  readonly nextCursor: number;
}

/** An append of at most so many bytes is written at once; a larger one on a thread. */
const MAX_SYNC_BYTES = 16 * 1024;
/** What stays in memory after `close`, so that the output of short commands is read without their files. */
const CLOSED_MEMORY_BYTES = 16 * 1024;

const DONE = Promise.resolve();

const fresh: Lender = (bytes) => Buffer.allocUnsafeSlow(bytes);

/**
 * What one exec printed: the newest bytes in memory, all of it in files up to a cap, past which the oldest file goes.
 * Between `keepBytes` and `keepBytes` plus one file are kept; a file has a sixteenth of `keepBytes`, at least 64 KiB and
 * at most 16 MiB.
 *
 * Where the disk refuses, the oldest files go early; where that does not help, output is kept in memory alone, and the
 * disk is tried again after each `memoryBytes`.
 */
export class Journal {
  readonly #name: string;
  #memoryBytes: number;
  #keepBytes: number;
  readonly #files: SegmentList;
  readonly #tail: MemoryTail;
  /** Up to where output can be read: it is in a file, or in memory alone for want of one. */
  #end: Position;
  readonly #listeners = new Set<() => void>();
  #flushing: Promise<void> | undefined;
  /** Settles for the appends that came while a write was in flight. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #storageError: Error | undefined;
  #retryCursor = 0;
  #closed = false;

  /** Touches no file until the first byte. */
  constructor(options: JournalOptions, files = new SegmentList(options)) {
    this.#name = options.name;
    this.#keepBytes = options.keepBytes;
    this.#memoryBytes = Math.min(options.memoryBytes, options.keepBytes);
    this.#files = files;
    this.#end = files.end ?? START;
    this.#tail = new MemoryTail(this.#end);
  }

  /**
   * What an earlier server wrote, closed already. A last record that was not written whole is cut off.
   *
   * @param files as `journalFiles` has them, where many journals of one directory are recovered
   */
  static async recover(options: JournalOptions, files?: readonly string[]): Promise<Journal> {
    const paths = files ?? (await journalFiles(options.directory)).get(options.name) ?? [];
    const segments = await recoverSegments(paths);
    const journal = new Journal(options, new SegmentList(options, segments));
    journal.#closed = true;
    return journal;
  }

  /** The cursor of the oldest byte that can be read. */
  get beginCursor(): number {
    return this.#begin.cursor;
  }

  /** The cursor past the newest byte that can be read. */
  get endCursor(): number {
    return this.#end.cursor;
  }

  get stdoutBytes(): number {
    return this.#end.stdoutBytes;
  }

  get stderrBytes(): number {
    return this.#end.cursor - this.#end.stdoutBytes;
  }

  get diskBytes(): number {
    return this.#files.bytes;
  }

  /** Why output is kept in memory alone at the moment. */
  get storageError(): Error | undefined {
    return this.#storageError;
  }

  /**
   * Appends in call order; resolves when the bytes can be read and are in the file, though not synced, or, where the
   * disk refuses, in memory. The bytes are copied.
   */
  append(stream: OutputStream, data: Buffer): Promise<void> {
    if (this.#closed) return Promise.reject(new Error(`Journal ${this.#name} is closed`));
    if (data.length === 0) return DONE;
    this.#tail.push(stream, data);
    if (this.#flushing !== undefined) return this.#flushed();
    if (this.#storageError === undefined) {
      if (data.length <= MAX_SYNC_BYTES && this.#writeSync()) return DONE;
    } else if (this.#tail.end.cursor < this.#retryCursor) {
      this.#keepInMemory();
      return DONE;
    }
    return this.#flushed();
  }

  /** Where `beginCursor` comes to stand at most if so many more bytes are appended. */
  beginCursorAfter(bytes: number): number {
    const encoded = encodedBytes(bytes);
    if (this.#storageError !== undefined) {
      const inMemory = this.#tail.beginAfter(encoded, this.#memoryBytes);
      // The files are of use as long as what is in memory follows on them.
      return inMemory <= (this.#files.end?.cursor ?? -1) ? this.beginCursor : inMemory;
    }
    // Memory reaches further back than the files where some were dropped to make room for others.
    if (this.#begin === this.#tail.begin && this.#tail.bytes + encoded <= this.#memoryBytes) return this.beginCursor;
    const more = this.#tail.unwrittenBytes + encoded;
    const inFiles = this.#files.beginAfter(more);
    if (inFiles !== undefined) return inFiles;
    return more < this.#keepBytes ? this.beginCursor : this.#tail.end.cursor + Math.max(0, encoded - this.#keepBytes);
  }

  /**
   * Reads from a cursor on, at most `maxBytes`; nothing at the end. Neighbours of one stream come as one chunk, in memory
   * that is the reader's own, or that he lends. Throws OutOfRange past the end.
   */
  async read(cursor: number, maxBytes: number, lend: Lender = fresh): Promise<JournalRead> {
    let lost: JournalLost | undefined;
    for (;;) {
      if (cursor > this.#end.cursor) throw this.#pastTheEnd(cursor);
      const from = Math.max(cursor, this.beginCursor);
      if (from > cursor) lost = this.#lostSince(cursor);
      if (maxBytes <= 0) return { lost, chunks: [], nextCursor: from };
      const collector = new ChunkCollector(from, maxBytes, lend);
      const segment = from < this.#tail.begin.cursor ? this.#files.find(from) : undefined;
      if (segment === undefined) this.#tail.read(collector, maxBytes, this.#end.cursor);
      else if (!(await this.#readFile(segment, collector, maxBytes))) continue;
      return { lost, chunks: collector.finish(), nextCursor: collector.cursor };
    }
  }

  /** Calls back when more can be read, and when the journal is closed. Returns what ends that. */
  onGrow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps so many bytes more from now on: for the last of what a command printed, which nobody should have to wait for. */
  keepMore(bytes: number): void {
    this.#keepBytes += bytes;
    if (this.#storageError !== undefined) this.#memoryBytes += bytes;
    this.#files.keepMore(bytes);
  }

  /** Deletes the oldest file to make room for others; returns how many bytes that freed, 0 when only the newest is left. */
  dropOldest(): number {
    return this.#files.dropOldest();
  }

  /** Writes what waits and closes the file. What was kept can still be read. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    await this.#files.seal();
    if (this.#storageError === undefined) this.#tail.trim(CLOSED_MEMORY_BYTES);
    this.#tail.compact();
    this.#tellListeners();
  }

  /** Closes, and deletes what was kept. */
  async remove(): Promise<void> {
    await this.close();
    this.#files.dropAll();
    this.#tail.clear();
  }

  get #begin(): Position {
    const oldest = this.#files.begin;
    return oldest !== undefined && oldest.cursor < this.#tail.begin.cursor ? oldest : this.#tail.begin;
  }

  #writeSync(): boolean {
    const batch = this.#tail.nextBatch(Infinity);
    try {
      if (batch === undefined || !this.#files.appendSync(batch)) return false;
    } catch {
      // The same is tried again on a thread, where an error is dealt with.
      return false;
    }
    this.#written(batch);
    return true;
  }

  /** Resolves once all that was appended up to now is written. */
  #flushed(): Promise<void> {
    this.#waiting ??= Promise.withResolvers();
    const { promise } = this.#waiting;
    this.#flushing ??= this.#flush();
    return promise;
  }

  async #flush(): Promise<void> {
    this.#storageError = undefined;
    // What else a pipe has by now is read before that, and goes with it.
    await setImmediate();
    while (this.#waiting !== undefined) {
      const { resolve } = this.#waiting;
      const end = this.#tail.end.cursor;
      this.#waiting = undefined;
      while (this.#storageError === undefined && this.#tail.written.cursor < end) await this.#writeBatch();
      if (this.#storageError !== undefined) this.#keepInMemory();
      resolve();
    }
    this.#flushing = undefined;
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#tail.nextBatch(this.#files.batchBytes);
    if (batch === undefined) return;
    try {
      await this.#files.append(batch);
      this.#written(batch);
    } catch (error) {
      if (isDiskFull(error) && this.#files.dropOldest() > 0) return;
      await this.#files.seal();
      this.#storageError = error instanceof Error ? error : new Error(String(error));
      this.#retryCursor = this.#tail.end.cursor + this.#memoryBytes;
    }
  }

  #written(batch: Batch): void {
    this.#tail.markWritten(batch);
    this.#tail.trim(this.#memoryBytes);
    this.#growTo(batch.end);
  }

  #keepInMemory(): void {
    this.#tail.trimUnwritten(this.#memoryBytes);
    if (this.#tail.begin.cursor > (this.#files.end?.cursor ?? 0)) this.#files.dropAll();
    this.#growTo(this.#tail.end);
  }

  #growTo(end: Position): void {
    // After an error more can be read than is written.
    if (end.cursor > this.#end.cursor) this.#end = end;
    this.#tellListeners();
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Returns false if the segment is gone in the meantime, or was damaged or deleted and has been dropped. */
  async #readFile(segment: Segment, collector: ChunkCollector, maxBytes: number): Promise<boolean> {
    try {
      await segment.read(collector, maxBytes);
    } catch (error) {
      if (!this.#files.includes(segment)) return false;
      if (segment.writable || !isMissing(error)) throw error;
      // Somebody else deleted it: what it held is lost, what follows is not.
      this.#files.dropThrough(segment);
      return false;
    }
    if (!collector.empty) return true;
    if (segment.writable) throw new Error(`${segment.path} was changed by somebody else while it was being written`);
    this.#files.dropThrough(segment);
    return false;
  }

  #lostSince(cursor: number): JournalLost {
    const begin = this.#begin;
    const stdoutBytes = begin.stdoutBytes - this.#files.lostStdoutBytesAt(cursor, begin);
    const stderrBytes = begin.cursor - cursor - stdoutBytes;
    return { beginCursor: cursor, endCursor: begin.cursor, stdoutBytes, stderrBytes };
  }

  #pastTheEnd(cursor: number): OutOfRange {
    return new OutOfRange("CURSOR_OUT_OF_RANGE", `Cursor ${cursor} lies past the newest byte, ${this.#end.cursor}`, {
      subject: "cursor",
      remedy: "Read from expected_offset on, or from a smaller cursor.",
      expectedOffset: this.#end.cursor,
    });
  }
}

function isDiskFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}
