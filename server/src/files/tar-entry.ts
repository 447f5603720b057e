import type { TarHead } from "@yonder/transfer";
import { isPartName } from "./part-file.ts";
import { isAbsolute, isDotDot, splitPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import { refused } from "./tree-entry.ts";
import type { TreeEntry } from "./tree-entry.ts";

/**
 * An entry's head, checked; undefined for what a tree does not carry. Throws where a name leads out of the tree, or cannot
 * be known.
 */
export function readTarEntry(head: TarHead): TreeEntry | undefined {
  const { type, size, mode, pax } = head;
  // Sparse formats of GNU tar hold a map and not the content.
  if (type === undefined || Object.keys(pax).some((key) => key.startsWith("GNU.sparse."))) return undefined;
  const name = bytesOf(head.name, pax["path"]);
  const linkName = bytesOf(head.linkName, pax["linkpath"]);
  return {
    name,
    names: safeNames(name, name),
    type,
    size,
    mode,
    modifyTime: paxTime(pax["mtime"]) ?? head.seconds,
    target: linkName,
    linkNames: type === "hardlink" ? safeNames(linkName, name) : [],
  };
}

/** Names of headers have each byte as one character, those of pax records are text. */
function bytesOf(name: string, pax: string | undefined): PathBytes {
  if (pax === undefined) return Buffer.from(name, "latin1");
  if (pax.includes("\uFFFD")) {
    throw refused(Buffer.from(pax), "is not UTF-8 in a pax record; GNU's format (tar --format=gnu) takes it");
  }
  return Buffer.from(pax);
}

/** Seconds of a pax record, cut to the microsecond. */
function paxTime(text: string | undefined): number | undefined {
  const [, sign, seconds, fraction = ""] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text ?? "") ?? [];
  if (seconds === undefined) return undefined;
  const microseconds = Number(fraction.slice(0, 6).padEnd(6, "0"));
  return (Number(seconds) + microseconds / 1e6) * (sign === "-" ? -1 : 1);
}

function safeNames(path: PathBytes, entry: PathBytes): PathBytes[] {
  if (isAbsolute(path)) throw refused(entry, "is absolute");
  const names = splitPath(path);
  if (names.some(isDotDot)) throw refused(entry, 'holds ".."');
  if (names.some(isPartName)) throw refused(entry, "is a name of the server's own");
  return names;
}
