import { isUtf8 } from "node:buffer";
import { escapeControls } from "./escape.ts";

/** A name of the file system: text, or bytes where it is not UTF-8. */
export type Name = string | Buffer;

/** A name for people: control characters, and bytes that are no text, are shown as escapes. */
export function nameText(name: Name): string {
  if (typeof name === "string") return escapeControls(name);
  let text = "";
  for (let at = 0; at < name.length;) {
    const length = [1, 2, 3, 4].find((length) => at + length <= name.length && isUtf8(name.subarray(at, at + length)));
    text +=
      length === undefined
        ? `\\x${name.toString("hex", at, at + 1)}`
        : escapeControls(name.toString("utf8", at, at + length));
    at += length ?? 1;
  }
  return text;
}

/** A name as standard output gets it: for people on a terminal; in a pipe byte for byte, as `ls` and `find` have it. */
export function nameBytes(name: Name): Buffer {
  return Buffer.from(process.stdout.isTTY ? nameText(name) : (name as string));
}

/** Text of others: for people on a terminal without what would steer it, in a pipe as it is. */
export function shownText(text: string): string {
  return process.stdout.isTTY ? escapeControls(text) : text;
}

/** A name in JSON: as text, and, where that cannot say it, in base64 too, under the name with "Base64". */
export function jsonName(key: string, name: Name): Record<string, string> {
  if (typeof name === "string") return { [key]: name };
  return { [key]: name.toString(), [`${key}Base64`]: name.toString("base64") };
}
