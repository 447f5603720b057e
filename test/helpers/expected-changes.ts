import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** One side of a path: its mode as git writes it, and the id of its content. */
export interface Side {
  readonly mode: string;
  readonly id: string;
}

/** What is expected of a path, names in latin1 so that each byte is one character. */
export interface Expected {
  readonly changes: Map<string, "ADDED" | "DELETED" | "UPDATED" | "TYPE_CHANGED">;
  /** New name by old one, of tracked files that moved as they were. */
  readonly moved: Map<string, string>;
  readonly base: Map<string, Side>;
  readonly disk: Map<string, Side>;
}

/**
 * The changes of a repository and of those nested in it, worked out from the tree of HEAD, the index and the disk by
 * themselves: git compares nothing here.
 */
export function expectedChanges(root: string, prefix = ""): Expected {
  const base = readTree(root);
  const index = new Set(list(root, "ls-files", "-z"));
  const { disk, nested } = walk(root);
  const expected: Expected = { changes: new Map(), moved: new Map(), base: new Map(), disk: new Map() };
  for (const path of new Set([...base.keys(), ...disk.keys()])) {
    const status = statusOf(base.get(path), disk.get(path), index.has(path));
    if (status !== undefined) expected.changes.set(prefix + path, status);
  }
  for (const [path, before] of base) {
    expected.base.set(prefix + path, before);
    if (disk.has(path)) continue;
    const same = [...disk].find(([to, now]) => !base.has(to) && index.has(to) && now.id === before.id);
    if (same !== undefined && isSameKind(before, same[1])) expected.moved.set(prefix + path, prefix + same[0]);
  }
  for (const [path, now] of disk) expected.disk.set(prefix + path, now);
  for (const name of nested) {
    const inner = expectedChanges(`${root}/${name}`, `${prefix}${name}/`);
    for (const key of ["changes", "moved", "base", "disk"] as const) {
      for (const [path, value] of inner[key]) (expected[key] as Map<string, unknown>).set(path, value);
    }
  }
  return expected;
}

function statusOf(
  before: Side | undefined,
  now: Side | undefined,
  isTracked: boolean,
): "ADDED" | "DELETED" | "UPDATED" | "TYPE_CHANGED" | undefined {
  if (before === undefined) return "ADDED";
  if (now === undefined) return "DELETED";
  if (!isTracked) return "UPDATED";
  if (!isSameKind(before, now)) return "TYPE_CHANGED";
  return before.id === now.id && before.mode === now.mode ? undefined : "UPDATED";
}

function isSameKind(one: Side, other: Side): boolean {
  return one.mode.slice(0, 3) === other.mode.slice(0, 3);
}

function readTree(root: string): Map<string, Side> {
  const entries = list(root, "ls-tree", "-r", "-z", "HEAD").map((entry): [string, Side] => {
    const [, mode = "", id = "", path = ""] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
    return [path, { mode, id }];
  });
  return new Map(entries);
}

function list(root: string, ...args: string[]): string[] {
  return execFileSync("git", args, { cwd: root }).toString("latin1").split("\0").filter(Boolean);
}

function walk(root: string, below = ""): { disk: Map<string, Side>; nested: string[] } {
  const disk = new Map<string, Side>();
  const nested: string[] = [];
  const at = (path: string): Buffer => Buffer.from(`${root}/${path}`, "latin1");
  for (const name of readdirSync(at(below), { encoding: "latin1" })) {
    if (name === ".git") continue;
    const path = below + name;
    const stats = lstatSync(at(path));
    if (stats.isSymbolicLink())
      disk.set(path, { mode: "120000", id: blobId(readlinkSync(at(path), { encoding: "buffer" })) });
    else if (stats.isFile()) {
      disk.set(path, { mode: (stats.mode & 0o100) === 0 ? "100644" : "100755", id: blobId(readFileSync(at(path))) });
    } else if (existsSync(at(`${path}/.git`))) nested.push(path);
    else {
      const inner = walk(root, `${path}/`);
      for (const [key, side] of inner.disk) disk.set(key, side);
      nested.push(...inner.nested);
    }
  }
  return { disk, nested };
}

export function blobId(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}
