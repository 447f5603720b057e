import { Aborted } from "../util/errors.ts";
import type { Exec } from "./exec.ts";
import type { JournalChunk, JournalLost } from "./journal/journal.ts";
import { LentMemory } from "./lent-memory.ts";
import type { Limits } from "../util/limits.ts";
import type { Reader } from "./readers.ts";
import type { EndRecord } from "./state/records.ts";
import type { Screen } from "./terminal-view.ts";

/** How many bytes one read of the journal brings: large enough for a good rate, small enough to share the line. */
const READ_BYTES = 512 * 1024;

export type ExecEvent =
  | { readonly type: "started"; readonly pid: number; readonly disposition: Disposition }
  | ({ readonly type: "output" } & JournalChunk)
  | ({ readonly type: "lost" } & JournalLost)
  | ({ readonly type: "screen" } & Screen)
  | { readonly type: "heartbeat"; readonly cursor: number }
  | { readonly type: "ended"; readonly record: EndRecord };

export type Disposition = "CREATED" | "JOINED";

/** Where a stream begins. */
export type StreamStart =
  | { readonly at: "cursor"; readonly cursor: number }
  | { readonly at: "tail"; readonly bytes: number }
  | { readonly at: "oldest" | "live" | "screen" };

export interface EventStreamOptions {
  readonly start: StreamStart;
  readonly readerId: string;
  readonly disposition: Disposition;
  readonly limits: Pick<Limits, "heartbeatIntervalMs">;
  readonly signal: AbortSignal;
}

/**
 * One reader's stream: `started`, what was printed from where it asked, live as it comes, and `ended` as its last
 * event. It ends without `ended` only where the caller went away or the reader was dropped.
 *
 * An event's bytes are good until the next event is asked for, as suits a caller that serializes one before he asks for
 * more: their memory is used again.
 */
export async function* eventStream(exec: Exec, options: EventStreamOptions): AsyncGenerator<ExecEvent, void> {
  const journal = await exec.journal();
  let screen = options.start.at === "screen" ? await exec.mustHaveTerminal().screen() : undefined;
  let cursor = await startCursor(exec, options.start, screen);
  const reader = exec.readers.attach(options.readerId, cursor);
  exec.run?.readersChanged();
  const memory = new LentMemory();
  let isComplete = false;
  try {
    yield {
      type: "started",
      pid: exec.ended === undefined ? (exec.run?.pid ?? 0) : 0,
      disposition: options.disposition,
    };
    while (!options.signal.aborted) {
      if (screen !== undefined) {
        cursor = screen.cursor;
        yield* handOver(exec, reader, cursor, { type: "screen", ...screen });
        screen = undefined;
      }
      const { lost, chunks, nextCursor } = await journal.read(cursor, READ_BYTES, memory.lend);
      if (lost !== undefined) yield* handOver(exec, reader, lost.endCursor, { type: "lost", ...lost });
      // Past a gap, a terminal's bytes could begin in the midst of a control sequence: paint it anew.
      if (lost !== undefined && exec.terminalView !== undefined) {
        screen = await exec.terminalView.screen();
        continue;
      }
      for (const chunk of chunks) {
        yield* handOver(exec, reader, chunk.cursor + chunk.data.length, { type: "output", ...chunk });
      }
      cursor = nextCursor;
      if (cursor < journal.endCursor) continue;
      if (exec.ended !== undefined) {
        isComplete = true;
        yield { type: "ended", record: exec.ended };
        return;
      }
      const changed = await exec.changed.next(options.limits.heartbeatIntervalMs, options.signal);
      if (!changed) memory.release();
      if (!changed && !options.signal.aborted) yield* handOver(exec, reader, cursor, { type: "heartbeat", cursor });
    }
  } finally {
    exec.readers.detach(reader, !isComplete);
    exec.run?.readersChanged();
  }
}

async function startCursor(exec: Exec, start: StreamStart, screen: Screen | undefined): Promise<number> {
  const { beginCursor, endCursor } = await exec.journal();
  if (screen !== undefined) return screen.cursor;
  switch (start.at) {
    case "cursor":
      await exec.mustReach(start.cursor);
      return start.cursor;
    case "tail":
      return Math.max(beginCursor, endCursor - start.bytes);
    case "live":
      return endCursor;
    default:
      return beginCursor;
  }
}

function* handOver(exec: Exec, reader: Reader, cursor: number, event: ExecEvent): Generator<ExecEvent, void> {
  reader.handedOver();
  yield event;
  if (reader.isDropped) {
    throw new Aborted(
      "READER_STALLED",
      `The reader of exec "${exec.id}" stood still too long with output waiting; it had everything up to ${cursor}`,
      { subject: exec.id, expectedOffset: cursor, remedy: "Attach again from expected_offset." },
    );
  }
  reader.movedTo(cursor);
}
