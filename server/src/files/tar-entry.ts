import type { Header } from "tar-stream";
import { isPartName } from "./part-file.ts";
import { isAbsolute, isDotDot, splitPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import { refused } from "./tree-entry.ts";
import type { TreeEntry } from "./tree-entry.ts";

/**
 * What the library read of an entry, checked; undefined for what a tree does not carry. Throws where a name leads out of
 * the tree, or cannot be known.
 */
export function readTarEntry(header: Header): TreeEntry | undefined {
  const type = types[header.type ?? ""];
  const pax = (header.pax ?? {}) as Record<string, string>;
  // Sparse formats of GNU tar hold a map and not the content.
  if (type === undefined || Object.keys(pax).some((key) => key.startsWith("GNU.sparse."))) return undefined;
  const name = bytesOf(header.name, pax["path"]);
  const linkName = bytesOf(header.linkname ?? "", pax["linkpath"]);
  return {
    name,
    names: safeNames(name, name),
    type,
    size: header.size ?? 0,
    mode: header.mode ?? 0o644,
    modifyTime: paxTime(pax["mtime"]) ?? (header.mtime?.getTime() ?? 0) / 1000,
    target: linkName,
    linkNames: type === "hardlink" ? safeNames(linkName, name) : [],
  };
}

/** The library reads names of headers as latin1, as we asked it to, and those of pax records as UTF-8, as it always does. */
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

const types: Readonly<Record<string, TreeEntry["type"]>> = {
  file: "file",
  "contiguous-file": "file",
  directory: "directory",
  symlink: "symlink",
  link: "hardlink",
};
