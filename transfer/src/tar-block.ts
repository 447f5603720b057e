/** What stands at the head of an entry of a tar stream. */
export interface TarHead {
  /** Undefined for what is neither file, directory nor link. */
  readonly type: TarType | undefined;
  /** Names have each byte as one character; a pax record's, which is text, goes before them. */
  readonly name: string;
  readonly linkName: string;
  readonly size: number;
  readonly mode: number;
  /** Whole seconds since 1970. */
  readonly seconds: number;
  readonly pax: PaxRecords;
}

export type TarType = "file" | "directory" | "symlink" | "hardlink";
export type PaxRecords = Readonly<Record<string, string | undefined>>;

/** A header as it stands, before what was said ahead of it. */
export interface TarBlock extends Omit<TarHead, "type" | "pax"> {
  readonly flag: string;
}

export const blockBytes = 512;

/** Reads a header; undefined for one of zeros, which ends a stream. Throws where it is none. */
export function readBlock(block: Buffer): TarBlock | undefined {
  // The sum is taken with spaces in its own place.
  let sum = 8 * 0x20;
  for (let index = 0; index < 148; index++) sum += block[index] ?? 0;
  for (let index = 156; index < blockBytes; index++) sum += block[index] ?? 0;
  if (sum === 8 * 0x20) return undefined;
  if (sum !== readNumber(block, 148, 8))
    throw new Error("a header's sum does not fit it: it is damaged, or compressed");
  const format = block.toString("latin1", 257, 265);
  const isPosix = format.startsWith("ustar\0");
  if (!isPosix && format !== "ustar  \0") throw new Error("a header has a format that is not known");
  const prefix = isPosix ? readText(block, 345, 155) : "";
  const [own, size, mode, seconds] = [
    readText(block, 0, 100),
    readNumber(block, 124, 12),
    readNumber(block, 100, 8),
    readNumber(block, 136, 12),
  ];
  if (!(size >= 0) || Number.isNaN(mode) || Number.isNaN(seconds)) throw new Error("a header holds what is no number");
  const name = prefix === "" ? own : `${prefix}/${own}`;
  return { flag: String.fromCharCode(block[156] ?? 0), name, linkName: readText(block, 157, 100), size, mode, seconds };
}

/** What kind of an entry a header with this flag opens. Old programs end a directory's name with "/" instead. */
export function typeOf({ flag, name }: TarBlock): TarType | undefined {
  const type = types[flag];
  return type === "file" && name.endsWith("/") ? "directory" : type;
}

/** Reads the records of a pax header: "length key=value\n", one after the other. */
export function readPax(bytes: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let begin = 0; begin < bytes.length;) {
    const space = bytes.indexOf(0x20, begin);
    const length = space < 0 ? Number.NaN : Number(bytes.toString("latin1", begin, space));
    const end = begin + length;
    const equals = bytes.indexOf(0x3d, space);
    if (!(length > 0) || end > bytes.length || space >= end || equals < 0 || equals >= end)
      throw new Error("a pax header is damaged");
    records[bytes.toString("utf8", space + 1, equals)] = bytes.toString("utf8", equals + 1, end - 1);
    begin = end;
  }
  return records;
}

/** Text up to the first zero, each byte as one character. */
export function readText(bytes: Buffer, at: number, length: number): string {
  const zero = bytes.indexOf(0, at);
  const end = at + length;
  return bytes.toString("latin1", at, zero < 0 || zero > end ? end : zero);
}

/** Octal digits among spaces and zeros, or GNU's base 256. NaN where it is neither. */
function readNumber(block: Buffer, at: number, length: number): number {
  const first = block[at] ?? 0;
  const end = at + length;
  if (first >= 0x80) {
    let value = first === 0xff ? -1 : first & 0x7f;
    for (let index = at + 1; index < end; index++) value = value * 256 + (block[index] ?? 0);
    return value;
  }
  let index = at;
  while (index < end && isBlank(block[index])) index++;
  let value = 0;
  for (; index < end && !isBlank(block[index]); index++) {
    const digit = (block[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return Number.NaN;
    value = value * 8 + digit;
  }
  return value;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20;
}

const types: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "5": "directory",
  "7": "file",
};
