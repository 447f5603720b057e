import { execFileSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GitChangeStatus, type GitChange } from "@yonder/proto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { blobId, expectedChanges } from "../../helpers/expected-changes.ts";
import { openGitServer, statusName, type GitServer } from "../../helpers/git-server.ts";
import { makeRepository, openRepository, type Repository } from "../../helpers/repositories.ts";

/** In latin1: each character is one byte. */
const names = [
  "a",
  "b.txt",
  "dir/a",
  "dir/b",
  "dir/sub/c",
  "dirx",
  " blank ",
  'q"uote',
  "new\nline",
  "\xc3\xa9",
  "\xff\xfe",
  "-x",
  "*",
  "new/one",
];

const nameOf = fc.constantFrom(...names);
const edit = fc.oneof(
  fc.record({
    kind: fc.constantFrom("write", "append", "binary", "delete", "chmod", "stage", "unstage"),
    name: nameOf,
  }),
  fc.record({ kind: fc.constant("link"), name: nameOf, to: nameOf }),
  fc.record({ kind: fc.constantFrom("rename", "move"), name: nameOf, to: nameOf }),
);
type Edit = { readonly kind: string; readonly name: string; readonly to?: string };
const script = fc.array(fc.record({ edit, nested: fc.boolean() }), { minLength: 1, maxLength: 14 });

/** More of them take the longer: a run makes some thirty processes. */
const numRuns = Number(process.env["YONDER_PROPERTY_RUNS"] ?? 25);

let contents = 0;

/** Content that no other file has, so that what was renamed is known. */
function fresh(): string {
  return `${++contents}\n${"line\n".repeat(contents % 5)}`;
}

function at(root: string, name: string): Buffer {
  return Buffer.from(join(root, name), "latin1");
}

function exists(path: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function clearWay(root: string, name: string): void {
  for (let parent = dirname(name); parent !== "."; parent = dirname(parent)) {
    if (exists(at(root, parent)) && !lstatSync(at(root, parent)).isDirectory()) rmSync(at(root, parent));
  }
  mkdirSync(at(root, dirname(name)), { recursive: true });
  rmSync(at(root, name), { recursive: true, force: true });
}

function stage(root: string, ...paths: string[]): void {
  // Names on standard input: no argument can hold every byte.
  const input = Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1");
  execFileSync("git", ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], {
    cwd: root,
    input,
    stdio: ["pipe", "ignore", "ignore"],
  });
}

function apply(root: string, { kind, name, to = "" }: Edit): void {
  const path = at(root, name);
  const isFile = exists(path) && lstatSync(path).isFile();
  switch (kind) {
    case "write":
      clearWay(root, name);
      return writeFileSync(path, fresh());
    case "append":
      return isFile ? writeFileSync(path, fresh(), { flag: "a" }) : undefined;
    case "binary":
      clearWay(root, name);
      return writeFileSync(path, Buffer.from(`\0${fresh()}`));
    case "delete":
      return rmSync(path, { recursive: true, force: true });
    case "chmod":
      return isFile ? chmodSync(path, lstatSync(path).mode ^ 0o111) : undefined;
    case "link":
      clearWay(root, name);
      return symlinkSync(Buffer.from(`${to}${++contents}`, "latin1"), path);
    case "stage":
      return exists(path) && lstatSync(path).isDirectory() ? undefined : stage(root, name);
    case "unstage": {
      const input = Buffer.from(`${name}\0`, "latin1");
      execFileSync("git", ["update-index", "--force-remove", "-z", "--stdin"], { cwd: root, input });
      return;
    }
    default: {
      if (!exists(path) || lstatSync(path).isDirectory() || to.startsWith(`${name}/`) || to === name) return;
      const kept = join(dirname(root), "kept");
      renameSync(path, kept);
      clearWay(root, to);
      renameSync(kept, at(root, to));
      if (kind === "move") stage(root, name, to);
    }
  }
}

function seed(repository: Repository): void {
  for (const name of names.filter((_, index) => index % 3 !== 2))
    repository.write(Buffer.from(name, "latin1"), fresh());
  repository.commit();
}

function reset(repository: Repository): void {
  repository.git("reset", "-q", "--hard");
  repository.git("clean", "-ffdqx");
}

function pathOf(text: string, bytes: Uint8Array): string {
  return Buffer.from(bytes.length > 0 ? bytes : Buffer.from(text)).toString("latin1");
}

/** Every change by its path, a move as what is gone and what is new. */
function unfold(changes: readonly GitChange[]): { status: Map<string, string>; moved: Map<string, string> } {
  const status = new Map<string, string>();
  const moved = new Map<string, string>();
  for (const change of changes) {
    const path = pathOf(change.path, change.rawPath);
    expect(status.has(path)).toBe(false);
    if (change.status !== GitChangeStatus.MOVED) status.set(path, statusName(change));
    else {
      status.set(path, "ADDED");
      moved.set(pathOf(change.oldPath, change.rawOldPath), path);
    }
  }
  for (const old of moved.keys()) status.set(old, status.has(old) ? "UPDATED" : "DELETED");
  return { status, moved };
}

async function checkDiffs(server: GitServer, changes: readonly GitChange[], root: string): Promise<void> {
  const expected = expectedChanges(root);
  // A few a run: the runs are many.
  for (const change of changes.slice(0, 3)) {
    const path = pathOf(change.path, change.rawPath);
    const diff = await server.client.getDiff({ rawPath: Buffer.from(path, "latin1") });
    const old = diff.oldPath === "" ? path : pathOf(diff.oldPath, diff.rawOldPath);
    expect([path, statusName(diff) === "UNCHANGED" ? "UPDATED" : statusName(diff)]).toEqual([path, statusName(change)]);
    if (diff.binary) {
      expect([diff.original?.data.length ?? 0, diff.modified?.data.length ?? 0]).toEqual([0, 0]);
      continue;
    }
    const ids = [diff.original, diff.modified].map((side) => side && blobId(side.data));
    expect([path, ...ids]).toEqual([path, expected.base.get(old)?.id, expected.disk.get(path)?.id]);
  }
}

test(
  "any edits of a repository and one nested in it are listed as tree, index and disk have them",
  async () => {
    const outer = makeRepository();
    seed(outer);
    const nestedPath = join(outer.path, "nest");
    const server = await openGitServer(outer.path);

    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        reset(outer);
        const inner = steps.some(({ nested }) => nested) ? makeRepository(nestedPath) : undefined;
        if (inner !== undefined) seed(openRepository(nestedPath));
        for (const { edit, nested } of steps) apply(nested ? nestedPath : outer.path, edit);

        const { changes } = await server.client.listChanges({});
        const expected = expectedChanges(outer.path);
        const { status, moved } = unfold(changes);
        const sorted = (map: Map<string, string>): [string, string][] =>
          [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));
        expect(sorted(status)).toEqual(sorted(expected.changes));
        for (const [old, now] of expected.moved) {
          expect([old, moved.get(old) ?? "not moved"]).toEqual([old, now]);
        }
        const order = changes.map(({ path, rawPath }) => pathOf(path, rawPath));
        expect(order).toEqual(
          order.toSorted((one, other) => Buffer.compare(Buffer.from(one, "latin1"), Buffer.from(other, "latin1"))),
        );
        await checkDiffs(server, changes, outer.path);
      }),
      { numRuns },
    );
  },
  60_000 + numRuns * 2_000,
);
