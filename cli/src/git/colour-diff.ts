import { BlankEnd } from "./blank-end.ts";

/** Both sides of a file: by them blank lines at its end are known. */
export interface DiffSides {
  readonly originalBytes: Buffer | null;
  readonly modifiedBytes: Buffer | null;
}

/** A unified diff in the colours that git gives it unless it is configured otherwise, whitespace errors included. */
export function colourDiff(diff: Buffer, sides: DiffSides): Buffer {
  if (diff.length === 0) return diff;
  // A character a byte: no text's encoding matters.
  const lines = diff.toString("latin1").split("\n");
  const isEnded = lines.at(-1) === "";
  if (isEnded) lines.pop();
  const painter = new Painter(new BlankEnd(sides.originalBytes), new BlankEnd(sides.modifiedBytes));
  const painted = lines.map((line) => painter.paint(line)).join("\n");
  return Buffer.from(isEnded ? `${painted}\n` : painted, "latin1");
}

class Painter {
  readonly #original: BlankEnd;
  readonly #modified: BlankEnd;
  #isInHunk = false;
  #originalLine = 0;
  #modifiedLine = 0;

  constructor(original: BlankEnd, modified: BlankEnd) {
    this.#original = original;
    this.#modified = modified;
  }

  paint(line: string): string {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (hunk !== null) {
      this.#isInHunk = true;
      [this.#originalLine, this.#modifiedLine] = [Number(hunk[1]), Number(hunk[2])];
      const rest = line.slice(hunk[0].length);
      return `${cyan}${hunk[0]}${reset}${rest === "" ? "" : ` ${reset}${rest.slice(1)}${reset}`}`;
    }
    if (!this.#isInHunk || !/^[-+ \\]/.test(line)) {
      this.#isInHunk = false;
      if (line.startsWith("Binary files ")) return line;
      // The tab that ends a name with spaces is none of it.
      return line.endsWith("\t") ? `${bold}${line.slice(0, -1)}${reset}\t` : `${bold}${line}${reset}`;
    }
    return this.#inHunk(line);
  }

  #inHunk(line: string): string {
    const [sign, text] = [line.charAt(0), line.slice(1)];
    if (sign === "+") {
      // Git counts a line before it looks at it, which shows where blank lines are all that there is.
      this.#modifiedLine++;
      return this.#isBlankEnd(text) ? whole(onRed, line) : `${green}+${reset}${added(text)}`;
    }
    if (sign !== "\\") this.#originalLine++;
    if (sign === " ") this.#modifiedLine++;
    return whole(sign === "-" ? red : "", line);
  }

  /** Whether it is a blank line that makes the file's end blank, or more so. */
  #isBlankEnd(text: string): boolean {
    const [before, after] = [this.#original, this.#modified];
    if (after.blankLines <= before.blankLines || !/^[ \t\r]*$/.test(text)) return false;
    return before.begin <= this.#originalLine && after.begin <= this.#modifiedLine;
  }
}

/** A line in one colour; a carriage return at its end stays outside. */
function whole(colour: string, line: string): string {
  const isCr = line.endsWith("\r");
  return `${colour}${isCr ? line.slice(0, -1) : line}${reset}${isCr ? "\r" : ""}`;
}

/** The text of a new line, with blanks at its end and before tabs of its indentation as errors. */
function added(text: string): string {
  const end = text.replace(/[ \t\r]+$/, "").length;
  let [result, written] = ["", 0];
  for (let index = 0; index < end; index++) {
    if (text[index] === " ") continue;
    if (text[index] !== "\t") break;
    if (written < index) result += `${onRed}${text.slice(written, index)}${reset}`;
    result += "\t";
    written = index + 1;
  }
  if (end > written) result += `${green}${text.slice(written, end)}${reset}`;
  return end < text.length ? `${result}${onRed}${text.slice(end)}${reset}` : result;
}

const [bold, red, green, cyan, onRed, reset] = [
  "\u001b[1m",
  "\u001b[31m",
  "\u001b[32m",
  "\u001b[36m",
  "\u001b[41m",
  "\u001b[m",
];
