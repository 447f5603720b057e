import { once } from "node:events";
import type { Writable } from "node:stream";
import { throwIfAborted } from "../connection/retry.ts";
import { LocalFile } from "../transfer/local-file.ts";
import type { FileStats } from "./file-stats.ts";
import { Gathering } from "./gathering.ts";

/** Where the bytes of a download go. */
export interface Sink {
  /** How many chunks it takes in one go at most, and needs no longer once `write` is done. 0: it takes one, and keeps it. */
  readonly held: number;
  /** Told how much is to come; throws where that is too much. */
  begin?(size: number): void;
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Forgets what was written. Undefined where that cannot be. */
  restart?(): Promise<void>;
  finish(file: FileStats): Promise<{ data?: Buffer }>;
  discard(): Promise<void>;
}

/** A file of this machine, which appears whole. */
export async function fileSink(path: string): Promise<Sink> {
  return sinkInto(await LocalFile.create(path));
}

/** The same where it is begun already. */
export function sinkInto(file: LocalFile): Sink {
  return {
    held: chunksAtOnce,
    write: (chunks) => file.write(chunks),
    restart: () => file.restart(),
    finish: async (stats) => {
      await file.finish(stats);
      return {};
    },
    discard: () => file.discard(),
  };
}

/** A stream of the caller, or memory. */
export function sinkOf(stream: Writable | undefined, signal: AbortSignal | undefined): Sink {
  if (stream !== undefined) {
    return {
      held: 0,
      async write(chunks) {
        for (const data of chunks) await writeTo(stream, data, signal);
      },
      async finish() {
        // Not ended where it is not ours to end: a terminal, a socket with more to come.
        return {};
      },
      async discard() {},
    };
  }
  let memory = new Gathering();
  return {
    held: 0,
    begin: (size) => memory.expect(size),
    async write(chunks) {
      for (const data of chunks) memory.add(data);
    },
    async restart() {
      memory = new Gathering();
    },
    finish: async () => ({ data: memory.all() }),
    async discard() {},
  };
}

/** Writes and waits until the stream takes more; rejects where it never will. */
async function writeTo(stream: Writable, data: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  if (!stream.writable) throw closedEarly();
  if (stream.write(data)) return;
  const stop = new AbortController();
  const until = { signal: signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]) };
  const closed = once(stream, "close", until).then(() => Promise.reject(closedEarly()));
  try {
    await Promise.race([once(stream, "drain", until), closed]);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    stop.abort();
  }
}

function closedEarly(): Error {
  const message = "The stream that the file goes to was closed before the end of the file";
  return Object.assign(new Error(message), { code: "ERR_STREAM_PREMATURE_CLOSE" });
}

/** Two megabytes, about what Node reads from a socket before it looks whether a write to a file is done. */
const chunksAtOnce = 4;
