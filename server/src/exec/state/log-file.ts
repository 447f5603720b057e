import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;

/**
 * A file of lines that is only ever appended to, or replaced as a whole. A line is in it to its last byte or not at all:
 * what a killed server or a full disk left of one has no line feed, so it is passed over and overwritten.
 */
export class LogFile {
  readonly path: string;
  #fd: number;
  #size: number;

  private constructor(path: string, fd: number, size: number) {
    this.path = path;
    this.#fd = fd;
    this.#size = size;
  }

  static open(path: string): { file: LogFile; lines: string[] } {
    const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    const content = readFileSync(fd);
    const size = content.lastIndexOf("\n") + 1;
    return { file: new LogFile(path, fd, size), lines: splitLines(content.subarray(0, size)) };
  }

  get size(): number {
    return this.#size;
  }

  /** Appends lines, each with its line feed. Throws what the disk says, and has appended nothing then. */
  append(lines: string): void {
    const data = Buffer.from(lines);
    try {
      writeAll(this.#fd, data, this.#size);
    } catch (error) {
      this.#cutBack();
      throw error;
    }
    this.#size += data.length;
  }

  /** Puts other lines in the place of all. Whoever reads the file at any moment finds the old ones or the new ones. */
  replace(chunks: Iterable<string>): void {
    const temporary = `${this.path}.new`;
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    let size = 0;
    try {
      for (const chunk of chunks) size += writeAll(fd, Buffer.from(chunk), size);
      // So that a power cut cannot leave the new name with nothing behind it.
      fsyncSync(fd);
      renameSync(temporary, this.path);
    } catch (error) {
      closeSync(fd);
      rmSync(temporary, { force: true });
      throw error;
    }
    closeSync(this.#fd);
    this.#fd = fd;
    this.#size = size;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The next append would overwrite it anyway; this gives a full disk its bytes back. */
  #cutBack(): void {
    try {
      ftruncateSync(this.#fd, this.#size);
    } catch {
      // Then it stays, without a line feed.
    }
  }
}

function writeAll(fd: number, data: Buffer, position: number): number {
  let written = 0;
  while (written < data.length) written += writeSync(fd, data, written, data.length - written, position + written);
  return written;
}

/** Line by line, since all lines together may be longer than a string can be. */
function splitLines(content: Buffer): string[] {
  const lines: string[] = [];
  for (let begin = 0; begin < content.length;) {
    const end = content.indexOf("\n", begin);
    lines.push(content.toString("utf8", begin, end));
    begin = end + 1;
  }
  return lines;
}
