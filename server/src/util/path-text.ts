import { isUtf8 } from "node:buffer";

/** The bytes of a path that came as text. */
export function pathBuffer(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

/** A path as the contract tells it: as text, and byte for byte where the text cannot say it. */
export function pathText(path: Buffer): { text: string; bytes: Uint8Array } {
  return { text: path.toString("utf8"), bytes: isUtf8(path) ? new Uint8Array() : path };
}
