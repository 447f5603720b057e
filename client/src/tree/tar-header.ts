export interface TarEntry {
  readonly name: Buffer;
  readonly type: "file" | "directory" | "symlink" | "hardlink";
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
  const blocks: Buffer[] = [];
  const name = entry.type === "directory" ? Buffer.concat([entry.name, Buffer.from("/")]) : entry.name;
  const linkName = entry.linkName ?? empty;
  if (linkName.length > nameBytes) blocks.push(...longEntry("K", Buffer.concat([linkName, zero])));
  if (name.length > nameBytes) blocks.push(...longEntry("L", Buffer.concat([name, zero])));
  const nanoseconds = ((entry.mtimeNs % second) + second) % second;
  const seconds = (entry.mtimeNs - nanoseconds) / second;
  if (nanoseconds !== 0n) {
    const fraction = String(nanoseconds).padStart(9, "0");
    blocks.push(...longEntry("x", paxRecord("mtime", `${seconds}.${fraction}`)));
  }
  blocks.push(block(name, linkName, types[entry.type], entry.mode, Number(seconds), entry.size));
  return blocks.length === 1 && blocks[0] !== undefined ? blocks[0] : Buffer.concat(blocks);
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

function longEntry(type: string, content: Buffer): Buffer[] {
  const name = Buffer.from(type === "x" ? "././@PaxHeader" : "././@LongLink");
  return [block(name, empty, type, 0o644, 0, content.length), content, Buffer.alloc(tarPadding(content.length))];
}

function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.from(`${length}${rest}`);
}

function block(name: Buffer, linkName: Buffer, type: string, mode: number, mtime: number, size: number): Buffer {
  const header = Buffer.alloc(blockBytes);
  name.copy(header, 0, 0, Math.min(name.length, nameBytes));
  writeNumber(header, mode & 0o7777, 100, 8);
  writeNumber(header, 0, 108, 8);
  writeNumber(header, 0, 116, 8);
  writeNumber(header, size, 124, 12);
  writeNumber(header, mtime, 136, 12);
  header.write("        ", 148, "latin1");
  header.write(type, 156, "latin1");
  linkName.copy(header, 157, 0, Math.min(linkName.length, nameBytes));
  header.write("ustar  \0", 257, "latin1");
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** Octal digits where they suffice, else GNU's base 256, which takes sizes over 8 GiB and times before 1970. */
function writeNumber(header: Buffer, value: number, offset: number, length: number): void {
  const digits = value >= 0 ? value.toString(8) : "";
  if (value >= 0 && digits.length < length) {
    header.write(`${digits.padStart(length - 1, "0")}\0`, offset, "latin1");
    return;
  }
  const isNegative = value < 0;
  let rest = BigInt(value);
  for (let index = offset + length - 1; index > offset; index--) {
    header[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  header[offset] = isNegative ? 0xff : 0x80;
}

const blockBytes = 512;
const nameBytes = 100;
const second = 1_000_000_000n;
const empty = Buffer.alloc(0);
const zero = Buffer.alloc(1);
const types = { file: "0", hardlink: "1", symlink: "2", directory: "5" } as const;
