import { constants, openSync } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { Socket } from "node:net";
import { hostname } from "node:os";
import { invalidOption } from "../invalid-option.ts";
import { shown } from "../option-rules.ts";

/** Bytes to upload. */
export interface UploadSource {
  readonly size: number | undefined;
  /** Permission bits and time of the file that they come from; undefined where there is none. */
  readonly mode: number | undefined;
  readonly mtimeNs: bigint | undefined;
  /** The bytes from an offset on, in chunks that are good until the next one is asked for. Undefined: they come once. */
  readonly readFrom: ((offset: number) => AsyncIterable<Uint8Array>) | undefined;
  /** All of them, once. */
  readonly readOnce: () => AsyncIterable<Uint8Array>;
  /** Names this state of a file of this machine. Undefined for what comes but once. */
  readonly identity?: string | undefined;
  close(): Promise<void>;
}

/** As a download's chunk has it: enough that what a message costs beside its bytes is little. */
export const chunkBytes = 512 * 1024;

/** What may be given to be uploaded. */
export type UploadInput = string | URL | Uint8Array | AsyncIterable<Uint8Array | string>;

/** Opens what is to be uploaded; a string or URL is the path of a file on this machine. */
export async function openSource(input: UploadInput): Promise<UploadSource> {
  if (typeof input === "string" || input instanceof URL) return openFile(input);
  if (input instanceof Uint8Array) return sourceOf(input);
  if (!(Symbol.asyncIterator in Object(input)) && !(Symbol.iterator in Object(input))) {
    throw invalidOption("source", `must be a path, bytes or a stream, got ${shown(input)}`);
  }
  const readOnce = (): AsyncIterable<Uint8Array> => rechunk(input);
  return { size: undefined, mode: undefined, mtimeNs: undefined, readFrom: undefined, readOnce, close: nothing };
}

/** Bytes in memory as a source. */
export function sourceOf(data: Uint8Array): UploadSource {
  async function* readFrom(offset: number): AsyncGenerator<Uint8Array> {
    for (let begin = offset; begin < data.length; begin += chunkBytes) yield data.subarray(begin, begin + chunkBytes);
  }
  const readOnce = (): AsyncIterable<Uint8Array> => readFrom(0);
  return { size: data.length, mode: undefined, mtimeNs: undefined, readFrom, readOnce, close: nothing };
}

/** Opens a file of this machine. */
export async function openFile(path: string | URL | Buffer): Promise<UploadSource> {
  const handle = await open(path, withoutWait);
  try {
    const exact = await handle.stat({ bigint: true });
    const stats = await handle.stat();
    if (stats.isDirectory()) {
      throw Object.assign(new Error(`EISDIR: illegal operation on a directory, read '${String(path)}'`), {
        code: "EISDIR",
        errno: -21,
        syscall: "read",
      });
    }
    if (stats.isFIFO()) {
      // Opened again before it is closed, so that whoever writes to it always has a reader.
      const pipe = openPipe(path);
      await handle.close();
      return pipe;
    }
    // A device or what the kernel makes up comes once, as long as it comes.
    const isPlain = stats.isFile() && stats.size > 0;
    const readFrom = (offset: number): AsyncIterable<Uint8Array> => readHandle(handle, offset, stats.size);
    const identity = [hostname(), exact.dev, exact.ino, exact.size, exact.mtimeNs, exact.ctimeNs].join(":");
    return {
      size: isPlain ? stats.size : undefined,
      mode: stats.mode & 0o7777,
      mtimeNs: exact.mtimeNs,
      readFrom: isPlain ? readFrom : undefined,
      identity: isPlain ? identity : undefined,
      readOnce: () => (isPlain ? readFrom(0) : readHandle(handle, 0, Infinity, stats.isFile())),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** For pipes: nobody may ever write to one, and a thread that waits for that ends with nothing, not even the process. */
const withoutWait = constants.O_RDONLY | constants.O_NONBLOCK;

function openPipe(path: string | URL | Buffer): UploadSource {
  const socket = new Socket({ fd: openSync(path, withoutWait), readable: true, writable: false });
  const close = async (): Promise<void> => void socket.destroy();
  return { size: undefined, mode: undefined, mtimeNs: undefined, readFrom: undefined, readOnce: () => socket, close };
}

/**
 * Reads a file in chunks, one ahead, so that disk and line work at once. A chunk is good until the next one is asked for:
 * it is serialized by then, and gigabytes of garbage are spared.
 */
async function* readHandle(
  handle: FileHandle,
  begin: number,
  end: number,
  isSeekable = true,
): AsyncGenerator<Uint8Array> {
  let position = begin;
  let turn = 0;
  const lent: Buffer[] = [];
  const next = async (): Promise<Buffer> => {
    turn = 1 - turn;
    const memory = (lent[turn] ??= Buffer.allocUnsafeSlow(Math.min(chunkBytes, end - begin)));
    const length = Math.min(memory.length, end - position);
    const { bytesRead } = await handle.read(memory, 0, length, isSeekable ? position : null);
    return memory.subarray(0, bytesRead);
  };
  let pending = position < end ? next() : undefined;
  try {
    while (pending !== undefined) {
      const chunk = await pending;
      pending = undefined;
      if (chunk.length === 0) return;
      position += chunk.length;
      if (position < end) pending = next();
      pending?.catch(() => {});
      yield chunk;
    }
  } finally {
    await pending?.catch(() => {});
  }
}

/** Pieces of any size as chunks of nearly one size: small ones are gathered, large ones cut. */
export async function* rechunk(
  pieces: AsyncIterable<Uint8Array | string>,
  maxBytes = chunkBytes,
): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    // A copy: whoever gives it may use it again.
    let data: Uint8Array = Buffer.from(piece as Uint8Array);
    while (bytes + data.length >= maxBytes) {
      yield Buffer.concat([...gathered, data.subarray(0, maxBytes - bytes)]);
      data = data.subarray(maxBytes - bytes);
      [gathered, bytes] = [[], 0];
    }
    if (data.length > 0) gathered.push(data);
    bytes += data.length;
  }
  if (bytes > 0) yield Buffer.concat(gathered);
}

async function nothing(): Promise<void> {}
