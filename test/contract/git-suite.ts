import { describe, expect, test } from "vitest";
import { AbortError, AlreadyExists, Conflict, InvalidState, NotFound } from "../../client/src/index.ts";
import type { GitChange, Workspace } from "../../client/src/index.ts";
import type { Bench } from "./workspace-suite.ts";

const person = "-c user.name=Test -c user.email=test@example.com -c commit.gpgsign=false";

/** Makes a repository with a commit in the workspace, by commands alone. */
async function makeRepository(workspace: Workspace, name: string): Promise<void> {
  const script = `
    git init -q -b main ${name} && cd ${name} && git config user.name Test && git config user.email test@example.com &&
    git config commit.gpgsign false && printf 'a\\nb\\nc\\n' > kept && printf 'x\\n' > gone && printf '1\\n2\\n3\\n' > old &&
    printf 'é \\r\\n' > 'sp ace "é"' && printf '\\000\\001' > binary && git add -A && git commit -q -m first`;
  await workspace.executeCommand(script, { check: true });
}

function lines(changes: readonly GitChange[]): string[] {
  return changes.map(({ status, path, oldPath }) =>
    oldPath === undefined ? `${status} ${path}` : `${status} ${oldPath} -> ${path}`,
  );
}

/** What git says of the workspace's repositories, and what is done to them. */
export function gitSuite(bench: Bench): void {
  describe("git", () => {
    test("gitChanges lists what differs, by the names of the directory that was asked for", async () => {
      const { workspace } = bench;
      await makeRepository(workspace, "changes");
      const script = `cd changes && rm gone && git mv old new && echo d >> kept && mkdir sub && echo 1 > sub/fresh &&
        ln -sf kept binary && echo 2 > 'sp ace "é"'`;
      await workspace.executeCommand(script, { check: true });
      const changes = await workspace.gitChanges("changes");
      expect(lines(changes)).toEqual(
        [
          "UPDATED binary",
          "DELETED gone",
          "UPDATED kept",
          "MOVED old -> new",
          'UPDATED sp ace "é"',
          "ADDED sub/fresh",
        ].toSorted((one, other) => (pathOf(one) < pathOf(other) ? -1 : 1)),
      );
      expect(changes.find(({ path }) => path === "sub/fresh")?.untracked).toBe(true);
      expect(lines(await workspace.gitChanges("changes/sub"))).toEqual(["ADDED fresh"]);
      expect(lines(await workspace.gitChanges("changes", { commit: "HEAD" }))).toHaveLength(5);
      expect(await workspace.gitChanges("changes", { ref: "main" })).toEqual(changes);
    });

    test("gitChanges of more than a page is whole and sorted", async () => {
      const { workspace } = bench;
      await workspace.executeCommand("git init -q many-changes && cd many-changes && seq -w 1 2500 | xargs touch", {
        check: true,
      });
      const changes = await workspace.gitChanges("many-changes");
      expect(changes.map(({ path }) => path)).toEqual(
        Array.from({ length: 2500 }, (_, index) => String(index + 1).padStart(4, "0")),
      );
    });

    test("gitDiff has both sides as they are, of new, deleted, renamed and binary files", async () => {
      const { workspace } = bench;
      await makeRepository(workspace, "diff");
      const script = `cd diff && rm gone && git mv old new && printf '1\\n2\\n3\\n4' > new && printf 'é\\n' > 'sp ace "é"' &&
        printf '\\000\\001\\002' > binary && echo 1 > fresh`;
      await workspace.executeCommand(script, { check: true });
      expect(await workspace.gitDiff("diff/new")).toMatchObject({
        status: "MOVED",
        oldPath: "diff/old",
        original: "1\n2\n3\n",
        modified: "1\n2\n3\n4",
        binary: false,
        truncated: false,
        hunks: [{ originalStart: 1, originalLines: 3, modifiedStart: 1, modifiedLines: 4 }],
      });
      expect(await workspace.gitDiff('diff/sp ace "é"')).toMatchObject({ original: "é \r\n", modified: "é\n" });
      expect(await workspace.gitDiff("diff/gone")).toMatchObject({
        status: "DELETED",
        original: "x\n",
        modified: null,
      });
      expect(await workspace.gitDiff("diff/fresh")).toMatchObject({ status: "ADDED", original: null, modified: "1\n" });
      expect(await workspace.gitDiff("diff/kept")).toMatchObject({ status: "UNCHANGED", unifiedDiff: "" });
      expect(await workspace.gitDiff("diff/binary")).toMatchObject({
        binary: true,
        original: null,
        modified: null,
        originalSize: 2,
        modifiedSize: 3,
      });
      expect(await workspace.gitDiff("diff/gone", { commit: "HEAD" })).toMatchObject({
        status: "ADDED",
        modified: "x\n",
      });
    });

    test("gitDiff of a file of several MiB is whole, or cut where it is told to", async () => {
      const { workspace } = bench;
      const script = `git init -q large && cd large && seq 1 200000 > numbers && git add -A && git ${person} commit -q -m 1 &&
        sed -i 's/^1/one/' numbers`;
      await workspace.executeCommand(script, { check: true });
      const diff = await workspace.gitDiff("large/numbers");
      const original = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("");
      expect(diff.original === original).toBe(true);
      expect(diff.modified === original.replaceAll(/^1/gm, "one")).toBe(true);
      expect([diff.truncated, diff.originalSize]).toEqual([false, original.length]);
      const cut = await workspace.gitDiff("large/numbers", { maxBytes: 1_200_000 });
      expect([cut.truncated, cut.original?.length, cut.originalSize]).toEqual([true, 1_200_000, original.length]);
      expect(cut.original === original.slice(0, 1_200_000)).toBe(true);
    });

    test("what git cannot tell is an error that says why", async () => {
      const { workspace } = bench;
      await workspace.executeCommand("mkdir -p plain && git init -q --bare bare.git", { check: true });
      const reason = async (promise: Promise<unknown>): Promise<unknown> =>
        await promise.then(
          () => "none",
          (error: { reason?: string }) => error.reason,
        );
      expect(await reason(workspace.gitChanges("plain"))).toBe("NOT_A_REPOSITORY");
      expect(await reason(workspace.gitChanges("nowhere"))).toBe("FILE_NOT_FOUND");
      expect(await reason(workspace.gitChanges("bare.git"))).toBe("BARE_REPOSITORY");
      expect(await reason(workspace.gitDiff("plain"))).toBe("IS_A_DIRECTORY");
      await expect(workspace.gitDiff("plain/none")).rejects.toSatisfy((error) => InvalidState.is(error));
    });

    test("status, commits and branches tell how a repository stands", async () => {
      const { workspace } = bench;
      await makeRepository(workspace, "stands");
      await workspace.executeCommand("cd stands && echo 1 > new && git branch side", { check: true });
      const status = await workspace.git.status("stands");
      const [commit, ...more] = await workspace.git.commits("stands");
      expect(more).toEqual([]);
      expect(commit).toMatchObject({ subject: "first", author: "Test", authorEmail: "test@example.com", parents: [] });
      expect(status).toMatchObject({ branch: "main", headId: commit?.sha, upstream: undefined, underway: undefined });
      expect(status.entries).toMatchObject([{ path: "new", worktreeState: "UNTRACKED", indexState: "UNMODIFIED" }]);
      const branches = await workspace.git.branches("stands");
      expect(branches.map(({ name, current, sha }) => [name, current, sha === commit?.sha])).toEqual([
        ["main", true, true],
        ["side", false, true],
      ]);
    });

    test("clone, commit, push, fetch, pull and checkout do a day's work", async () => {
      const { workspace } = bench;
      await makeRepository(workspace, "seed");
      await workspace.executeCommand("git clone -q --bare seed origin.git", { check: true });
      const url = (await workspace.executeCommand('printf %s "$PWD"/origin.git')).stdout;
      const phases = new Set<string>();
      const onProgress = ({ phase }: { phase: string }): void => void phases.add(phase);
      const [one, two] = await Promise.all(
        ["one", "two"].map((path) => workspace.git.cloneRepository(`file://${url}`, { path, onProgress })),
      );
      expect([one?.branch, one?.headId]).toEqual(["main", two?.headId]);
      expect([...phases].join()).toContain("Receiving objects");

      await workspace.executeCommand("echo more >> one/kept && echo 1 > one/new", { check: true });
      const who = { name: "Ann", email: "ann@example.com", time: new Date(1_700_000_000_000) };
      const commit = await workspace.git.commit("work", {
        path: "one",
        paths: ["kept", "new"],
        author: who,
        committer: who,
      });
      expect(commit).toMatchObject({ subject: "work", author: "Ann", timestamp: who.time, parents: [one?.headId] });
      expect(await workspace.gitChanges("one", { ref: "HEAD" })).toEqual([]);
      const pushed = await workspace.git.push({ path: "one" });
      expect(pushed).toEqual([{ refName: "refs/heads/main", oldId: one?.headId, newId: commit.sha }]);

      const fetched = await workspace.git.fetch({ path: "two" });
      expect(fetched).toEqual([{ refName: "refs/remotes/origin/main", oldId: one?.headId, newId: commit.sha }]);
      expect(await workspace.git.pull({ path: "two" })).toEqual({
        oldHeadId: one?.headId,
        headId: commit.sha,
        branch: "main",
      });
      expect(await workspace.git.checkout("HEAD~1", { path: "two", newBranch: "back" })).toEqual({
        headId: one?.headId,
        branch: "back",
      });
      await workspace.git.commit("aside", { path: "two", allowEmpty: true, author: who });
      const rejected = workspace.git.push({ path: "two", refspecs: ["back:main"] });
      await expect(rejected).rejects.toSatisfy((error) => Conflict.is(error) && error.reason === "PUSH_REJECTED");
      await expect(workspace.git.checkout("nope", { path: "two" })).rejects.toSatisfy((error) => NotFound.is(error));
      const again = workspace.git.cloneRepository(url, { path: "two" });
      await expect(again).rejects.toSatisfy((error) => AlreadyExists.is(error));
    });

    test("what is aborted rejects with an AbortError and leaves nothing", async () => {
      const { workspace } = bench;
      await makeRepository(workspace, "aborting");
      const stop = new AbortController();
      const url = `file://${(await workspace.executeCommand('printf %s "$PWD"/aborting')).stdout}`;
      const cloning = workspace.git.cloneRepository(url, { path: "aborted", signal: stop.signal });
      const reading = workspace.gitChanges("aborting", { signal: stop.signal });
      stop.abort();
      await Promise.all([
        expect(cloning).rejects.toBeInstanceOf(AbortError),
        expect(reading).rejects.toBeInstanceOf(AbortError),
      ]);
      expect(await workspace.fs.exists("aborted")).toBe(false);
    });

    test("several repositories are cloned beside each other, and one that fails stops none", async () => {
      const { workspace } = bench;
      await makeRepository(workspace, "many-seed");
      const script = `git -C many-seed branch dev && for each in a/lib b/lib c/own; do git clone -q --bare many-seed many-origin/$each.git; done &&
        mkdir -p together/own && touch together/own/there && git -C many-seed rev-parse HEAD && printf %s "$PWD"`;
      const { stdout } = await workspace.executeCommand(script, { check: true });
      const [sha = "", here = ""] = stdout.split("\n");
      const at = (name: string): string => `file://${here}/many-origin/${name}.git`;
      const result = await workspace.git.cloneRepositories(
        [
          at("a/lib"),
          { url: at("b/lib"), ref: "dev" },
          at("a/lib"),
          { url: at("c/own"), ref: sha.slice(0, 10) },
          at("none"),
          "owner/name",
        ],
        { targetDir: "together" },
      );
      expect(result.successCount).toBe(3);
      expect(result.failedRepos).toEqual([at("none"), "owner/name"]);
      expect(Object.values(result.errors).map(({ reason }) => reason)).toEqual(["REMOTE_NOT_FOUND", "INVALID_FIELD"]);
      const mappings = Object.values(result.repoMappings).map(({ dirName, ref }) => [dirName, ref]);
      expect(mappings).toEqual([
        ["lib", undefined],
        ["lib_1", "dev"],
        ["own_1", sha.slice(0, 10)],
      ]);
      expect(result.repoMappings[at("b/lib")]?.localPath).toMatch(/\/together\/lib_1$/);
      expect((await workspace.git.status("together/lib_1")).branch).toBe("dev");
    });
  });
}

function pathOf(line: string): string {
  return (
    line
      .split(" -> ")
      .at(-1)
      ?.replace(/^[A-Z]+ /, "") ?? ""
  );
}
