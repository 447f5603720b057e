import { UsageError } from "../frame/failure.ts";
import type { FileKind } from "@yonder/client";

/** Reads permission bits in octal: "755", "1777". */
export function mode(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw new UsageError("must be permission bits in octal, such as 755");
  return Number.parseInt(text, 8);
}

/** Kind and permission bits as `ls -l` shows them: "drwxr-xr-x". */
export function modeText(kind: FileKind, bits: number): string {
  const owner = three(bits >> 6, (bits & 0o4000) !== 0 ? "s" : "");
  const group = three(bits >> 3, (bits & 0o2000) !== 0 ? "s" : "");
  const others = three(bits, (bits & 0o1000) !== 0 ? "t" : "");
  return (kinds[kind] ?? "?") + owner + group + others;
}

/** Three bits, with the letter of a special one in the place of "x"; large where the bit for "x" is not set. */
function three(bits: number, special: string): string {
  const mayRun = (bits & 1) !== 0;
  const last = special === "" ? (mayRun ? "x" : "-") : mayRun ? special : special.toUpperCase();
  return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${last}`;
}

const kinds: Readonly<Partial<Record<FileKind, string>>> = {
  REGULAR: "-",
  DIRECTORY: "d",
  SYMLINK: "l",
  FIFO: "p",
  SOCKET: "s",
  CHARACTER_DEVICE: "c",
  BLOCK_DEVICE: "b",
};
