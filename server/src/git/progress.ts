/** How far git came, in its own words. */
export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly detail: string;
}

/** "remote: Counting objects:  45% (450/1000)" and "Enumerating objects: 5", with more behind a comma. */
const LINE = /^((?:remote: )?[A-Za-z][A-Za-z ]*):\s+(?:\d+% \((\d+)\/(\d+)\)|(\d+))(?:, (.*))?$/;
const DONE = ", done.";
const LONGEST_LINE = 4096;

/** Reads progress from what git prints to standard error, piece by piece. */
export function createProgressReader(onProgress: (progress: Progress) => void): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    // Git goes back to the line's beginning for each step.
    const lines = (rest + chunk.toString("utf8")).split(/[\r\n]/);
    rest = (lines.pop() ?? "").slice(-LONGEST_LINE);
    for (const line of lines) {
      const progress = parseProgress(line);
      if (progress !== undefined) onProgress(progress);
    }
  };
}

function parseProgress(line: string): Progress | undefined {
  // Servers pad their lines, and end them with an escape sequence.
  const text = line.slice(0, LONGEST_LINE).replaceAll("\x1b[K", "").trimEnd();
  const match = LINE.exec(text.endsWith(DONE) ? text.slice(0, -DONE.length) : text);
  if (match === null) return undefined;
  const [, phase = "", done, total = "0", count, detail = ""] = match;
  return { phase, done: Number(done ?? count), total: Number(total), detail };
}
