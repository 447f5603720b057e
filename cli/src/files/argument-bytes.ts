import { readFileSync } from "node:fs";

/**
 * An argument of this process byte for byte, where it is not UTF-8: Node puts U+FFFD for what it cannot read, and the
 * kernel remembers what it was. Elsewhere than on Linux the text is all there is.
 */
export function argumentBytes(text: string): string | Buffer {
  if (!text.includes("\ufffd")) return text;
  const found = allArguments().find((bytes) => bytes.toString() === text);
  return found === undefined || Buffer.from(text).equals(found) ? text : found;
}

function allArguments(): Buffer[] {
  try {
    const text = readFileSync("/proc/self/cmdline", "latin1");
    return text.split("\0").map((argument) => Buffer.from(argument, "latin1"));
  } catch {
    return [];
  }
}
