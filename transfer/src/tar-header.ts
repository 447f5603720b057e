import { blockBytes } from "./tar-block.ts";
import type { TarType } from "./tar-block.ts";

export interface TarEntry {
  readonly name: Buffer;
  readonly type: TarType;
  readonly mode: number;
  /** Seconds since 1970; nanoseconds beside them, of which a pax record keeps what the header cannot. */
  readonly mtimeNs: bigint;
  readonly size: number;
  readonly linkName?: Buffer;
}

/**
 * The blocks that open an entry of a tar stream, in GNU's format, since it takes names in any bytes; the libraries write
 * names as UTF-8 only. A long name goes ahead in an entry of its own, and so does the fraction of a second.
 */
export function tarHeader(entry: TarEntry): Buffer {
  return pack(entry, empty);
}

/** The whole of a file's entry, in one piece: the blocks that open it, its content and what fills its last block. */
export function tarFile(entry: Omit<TarEntry, "type" | "size" | "linkName">, content: Uint8Array): Buffer {
  return pack({ ...entry, type: "file", size: content.length }, content);
}

/** How many zero bytes follow content of this size. */
export function tarPadding(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

/** How many bytes an entry takes in the stream, about: most have a fraction of a second beside their header. */
export function packedSize(size: number): number {
  return 3 * blockBytes + size + tarPadding(size);
}

/** What ends a tar stream. */
export const tarEnd = Buffer.alloc(1024);

function pack(entry: TarEntry, content: Uint8Array): Buffer {
  const name = entry.type === "directory" ? Buffer.concat([entry.name, slash]) : entry.name;
  const linkName = entry.linkName ?? empty;
  const ahead: [type: string, content: Buffer][] = [];
  if (linkName.length > nameBytes) ahead.push(["K", Buffer.concat([linkName, zero])]);
  if (name.length > nameBytes) ahead.push(["L", Buffer.concat([name, zero])]);
  const nanoseconds = Number(((entry.mtimeNs % second) + second) % second);
  const seconds = Number((entry.mtimeNs - BigInt(nanoseconds)) / second);
  if (nanoseconds !== 0) ahead.push(["x", paxRecord("mtime", `${seconds}.${String(nanoseconds).padStart(9, "0")}`)]);
  let bytes = blockBytes + paddedSize(content.length);
  for (const [, text] of ahead) bytes += blockBytes + paddedSize(text.length);
  const packed = Buffer.allocUnsafe(bytes).fill(0);
  let at = 0;
  for (const [type, text] of ahead) {
    writeBlock(packed, at, { name: type === "x" ? paxName : longName, type, size: text.length });
    text.copy(packed, at + blockBytes);
    at += blockBytes + paddedSize(text.length);
  }
  const { mode, size } = entry;
  writeBlock(packed, at, { name, linkName, type: types[entry.type], mode, seconds, size });
  packed.set(content, at + blockBytes);
  return packed;
}

function paddedSize(size: number): number {
  return size + tarPadding(size);
}

function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.from(`${length}${rest}`);
}

interface Block {
  readonly name: Buffer;
  readonly linkName?: Buffer;
  readonly type: string;
  readonly mode?: number;
  readonly seconds?: number;
  readonly size: number;
}

/** Writes a header into bytes that are zero. */
function writeBlock(
  into: Buffer,
  at: number,
  { name, linkName = empty, type, mode = 0o644, seconds = 0, size }: Block,
): void {
  name.copy(into, at, 0, Math.min(name.length, nameBytes));
  writeNumber(into, mode & 0o7777, at + 100, 8);
  writeNumber(into, 0, at + 108, 8);
  writeNumber(into, 0, at + 116, 8);
  writeNumber(into, size, at + 124, 12);
  writeNumber(into, seconds, at + 136, 12);
  into.fill(space, at + 148, at + 156);
  into[at + 156] = type.charCodeAt(0);
  linkName.copy(into, at + 157, 0, Math.min(linkName.length, nameBytes));
  magic.copy(into, at + 257);
  let sum = 0;
  for (let index = at; index < at + blockBytes; index++) sum += into[index] ?? 0;
  // Six digits, a zero and the space that is there.
  writeNumber(into, sum, at + 148, 7);
}

/** Octal digits where they suffice, else GNU's base 256, which takes sizes over 8 GiB and times before 1970. */
function writeNumber(into: Buffer, value: number, at: number, length: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    let rest = value;
    for (let index = at + length - 2; index >= at; index--) {
      into[index] = 0x30 + (rest % 8);
      rest = Math.floor(rest / 8);
    }
    into[at + length - 1] = 0;
    return;
  }
  const isNegative = value < 0;
  let rest = BigInt(value);
  for (let index = at + length - 1; index > at; index--) {
    into[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  into[at] = isNegative ? 0xff : 0x80;
}

const nameBytes = 100;
const second = 1_000_000_000n;
const empty = Buffer.alloc(0);
const zero = Buffer.alloc(1);
const slash = Buffer.from("/");
const space = 0x20;
const magic = Buffer.from("ustar  \0");
const paxName = Buffer.from("././@PaxHeader");
const longName = Buffer.from("././@LongLink");
const types = { file: "0", hardlink: "1", symlink: "2", directory: "5" } as const;
