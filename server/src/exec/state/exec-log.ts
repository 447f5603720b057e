import { join } from "node:path";
import { LimitExceeded } from "../../util/errors.ts";
import type { LeftoverMark } from "../launcher.ts";
import { type LogLine, parseLine, serializeLine, VERSION } from "./log-line.ts";
import { LogFile } from "./log-file.ts";
import type { EndRecord, StartRecord } from "./records.ts";
import { StateDirectoryError } from "./state-directory-error.ts";

/** What is known of an id. */
export type LoggedExec =
  | {
      readonly state: "live";
      readonly sequence: number;
      readonly record: StartRecord;
      /** Absent where the server went away before the process was started, or right after. */
      readonly leftoverMark: LeftoverMark | undefined;
      /** Absent where the exec was running. */
      readonly ended: EndRecord | undefined;
    }
  | { readonly state: "expired"; readonly sequence: number };

const FILE_NAME = "execs.jsonl";

/** The file is written anew once it is larger than this and than twice what it was after the last time. */
const COMPACT_BYTES = 8 * 1024 * 1024;

/**
 * Remembers which ids were used and what became of them, so that a server that was killed and started again runs no
 * command twice and still knows how those ended that had ended. Each record is one write, not synced: it survives the
 * server's death, though not the machine's.
 */
export class ExecLog {
  readonly #file: LogFile;
  readonly #entries = new Map<string, LoggedExec>();
  /** The oldest first. */
  readonly #expired = new Set<string>();
  readonly #maxRememberedIds: number;
  #lastSequence = 0;
  /** What the disk refused and has to take yet. */
  #owed = "";
  #compactAt = COMPACT_BYTES;

  private constructor(file: LogFile, maxRememberedIds: number) {
    this.#file = file;
    this.#maxRememberedIds = maxRememberedIds;
  }

  /** Reads what an earlier server wrote. `entries` follows what is logged from then on. */
  static open(
    directory: string,
    limits: { maxRememberedIds: number },
  ): { log: ExecLog; entries: ReadonlyMap<string, LoggedExec>; lastSequence: number } {
    const { file, lines } = openFile(join(directory, FILE_NAME));
    const log = new ExecLog(file, limits.maxRememberedIds);
    for (const line of lines) log.#apply(readLine(line, file.path));
    log.#compact();
    return { log, entries: log.#entries, lastSequence: log.#lastSequence };
  }

  /** Whether the id was used and its output is gone. */
  isExpired(id: string): boolean {
    return this.#expired.has(id);
  }

  /** Before the process is started. Throws LimitExceeded STORAGE_FULL where the disk refuses; then nothing is remembered. */
  started(record: StartRecord): void {
    const line: LogLine = { kind: "started", record };
    try {
      this.#append(serializeLine(line));
    } catch (error) {
      throw new LimitExceeded("STORAGE_FULL", `The start of ${record.id} could not be written to ${this.#file.path}`, {
        subject: record.id,
        remedy: "Free space for the server's state directory.",
        cause: error,
      });
    }
    this.#apply(line);
    this.#compactIfLarge();
  }

  /** Once the process runs. */
  launched(id: string, mark: LeftoverMark): void {
    this.#note({ kind: "launched", id, mark });
  }

  /** The start failed: the id is free again. */
  withdrawn(id: string): void {
    this.#note({ kind: "withdrawn", id });
  }

  /** Before the end is told. */
  ended(id: string, end: EndRecord): void {
    this.#note({ kind: "ended", id, end });
  }

  /** Its output is gone; the id is still not to be used again. */
  expired(id: string): void {
    const sequence = this.#entries.get(id)?.sequence;
    if (sequence !== undefined) this.#note({ kind: "expired", id, sequence });
  }

  close(): void {
    try {
      if (this.#owed !== "") this.#append("");
    } catch {
      // The disk still refuses.
    }
    this.#file.close();
  }

  /** Writes what must not fail. What the disk refuses is written as soon as it takes something again. */
  #note(line: LogLine): void {
    this.#apply(line);
    const text = serializeLine(line);
    try {
      this.#append(text);
    } catch {
      this.#owed += text;
    }
    this.#compactIfLarge();
  }

  #append(text: string): void {
    this.#file.append(this.#owed + text);
    this.#owed = "";
  }

  #apply(line: LogLine | undefined): void {
    if (line === undefined) return;
    switch (line.kind) {
      case "log":
        this.#lastSequence = line.lastSequence;
        return;
      case "started": {
        const { id, sequence } = line.record;
        this.#entries.set(id, {
          state: "live",
          sequence,
          record: line.record,
          leftoverMark: undefined,
          ended: undefined,
        });
        this.#lastSequence = Math.max(this.#lastSequence, sequence);
        return;
      }
      case "withdrawn":
        this.#entries.delete(line.id);
        return;
      case "expired":
        this.#entries.set(line.id, { state: "expired", sequence: line.sequence });
        this.#expired.add(line.id);
        this.#forgetOldest();
        return;
      case "launched":
      case "ended": {
        const entry = this.#entries.get(line.id);
        if (entry?.state !== "live") return;
        const news = line.kind === "ended" ? { ended: line.end } : { leftoverMark: line.mark };
        this.#entries.set(line.id, { ...entry, ...news });
      }
    }
  }

  #forgetOldest(): void {
    for (const id of this.#expired) {
      if (this.#expired.size <= this.#maxRememberedIds) return;
      this.#expired.delete(id);
      this.#entries.delete(id);
    }
  }

  #compactIfLarge(): void {
    if (this.#file.size > this.#compactAt) this.#compact();
  }

  /** Writes down only what is still true. Where the disk refuses, the file stays as it is. */
  #compact(): void {
    try {
      this.#file.replace(this.#lines());
      this.#owed = "";
    } catch {
      // It is tried again when the file has grown.
    }
    this.#compactAt = Math.max(COMPACT_BYTES, 2 * this.#file.size);
  }

  *#lines(): Generator<string> {
    yield serializeLine({ kind: "log", version: VERSION, lastSequence: this.#lastSequence });
    for (const [id, entry] of this.#entries) {
      if (entry.state === "expired") continue;
      yield serializeLine({ kind: "started", record: entry.record });
      if (entry.leftoverMark !== undefined) yield serializeLine({ kind: "launched", id, mark: entry.leftoverMark });
      if (entry.ended !== undefined) yield serializeLine({ kind: "ended", id, end: entry.ended });
    }
    for (const id of this.#expired) {
      const sequence = this.#entries.get(id)?.sequence ?? 0;
      yield serializeLine({ kind: "expired", id, sequence });
    }
  }
}

function openFile(path: string): ReturnType<typeof LogFile.open> {
  try {
    return LogFile.open(path);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StateDirectoryError(
      path,
      `The record of execs at ${path} cannot be opened: ${message}`,
      "Make it readable and writable for the server's user, or name another directory with --state-directory.",
      { cause: error },
    );
  }
}

/** Undefined for a line of a kind that this version does not know, or that was damaged on the disk. */
function readLine(text: string, path: string): LogLine | undefined {
  const line = parseLine(text);
  if (line?.kind !== "log" || line.version === VERSION) return line;
  throw new StateDirectoryError(
    path,
    `The record of execs at ${path} was written by another version of the server (format ${line.version})`,
    "Start that version, or name another directory with --state-directory.",
  );
}
