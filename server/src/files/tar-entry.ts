import type { Header } from "tar-stream";
import { InvalidRequest } from "../util/errors.ts";
import { isPartName } from "./part-file.ts";
import { isAbsolute, isDotDot, pathText, splitPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";

/** An entry of a tar stream, with names that are safe to go by. */
export interface TarInput {
  /** The whole name, for people. */
  readonly name: PathBytes;
  /** Its names, from the top of the tree; empty for the top itself. */
  readonly names: readonly PathBytes[];
  readonly type: "file" | "directory" | "symlink" | "hardlink";
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970, to the microsecond. */
  readonly modifyTime: number;
  /** Where a symbolic link points, as it is. */
  readonly target: PathBytes;
  /** The names of the file that a hard link is another name of. */
  readonly linkNames: readonly PathBytes[];
  /** Who owns what is copied; a tar stream's owners are of another machine. */
  readonly owner?: Owner;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * What the library read of an entry, checked; undefined for what a tree does not carry. Throws where a name leads out of
 * the tree, or cannot be known.
 */
export function readTarEntry(header: Header): TarInput | undefined {
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

export function refused(entry: PathBytes, why: string): InvalidRequest {
  const subject = pathText(entry);
  return new InvalidRequest("ENTRY_REFUSED", `The entry's name ${why}: ${subject}`, { subject });
}

const types: Readonly<Record<string, TarInput["type"]>> = {
  file: "file",
  "contiguous-file": "file",
  directory: "directory",
  symlink: "symlink",
  link: "hardlink",
};
