import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { GitFileState, GitUnderway } from "@yonder/proto";
import { expect, test } from "vitest";
import { isGone, readProcStat } from "../../../server/src/exec/process/proc-stat.ts";
import { expectReason } from "../../helpers/file-server.ts";
import { openGitServer } from "../../helpers/git-server.ts";
import { cloneOf, makeRepository, temporaryDirectory } from "../../helpers/repositories.ts";
import { patient } from "../../helpers/time.ts";
import { until } from "../../helpers/until.ts";

function stateName(state: GitFileState): string {
  return Object.entries(GitFileState).find(([, value]) => value === state)?.[0] ?? "none";
}

test("a status tells branch, upstream and what differs where", async () => {
  const origin = makeRepository();
  for (const name of ["staged", "both", "moved", "gone", "sub/changed"]) origin.write(name, `content of ${name}\n`);
  origin.write(".gitignore", "*.log\n");
  origin.commit();
  const clone = cloneOf(origin);
  origin.commit();
  clone.git("fetch", "-q");
  clone.commit("ahead");
  clone.commit("ahead");
  clone.write("staged", "2");
  clone.write("both", "2");
  clone.git("mv", "moved", "new\nname");
  clone.git("add", "staged", "both");
  clone.write("both", "3");
  clone.remove("gone");
  clone.write("sub/changed", "2");
  clone.write("untracked", "1");
  clone.write("x.log", "1");
  const { client } = await openGitServer(clone.path);
  const status = await client.getStatus({ includeIgnored: true });
  expect(status).toMatchObject({
    branch: "main",
    headId: clone.git("rev-parse", "HEAD"),
    upstream: "origin/main",
    ahead: 2,
    behind: 1,
    topLevel: clone.path,
    underway: GitUnderway.UNSPECIFIED,
  });
  expect(
    status.entries.map((entry) => [
      entry.path,
      stateName(entry.indexState),
      stateName(entry.worktreeState),
      entry.oldPath,
    ]),
  ).toEqual([
    ["both", "MODIFIED", "MODIFIED", ""],
    ["gone", "UNMODIFIED", "DELETED", ""],
    ["new\nname", "RENAMED", "UNMODIFIED", "moved"],
    ["staged", "MODIFIED", "UNMODIFIED", ""],
    ["sub/changed", "UNMODIFIED", "MODIFIED", ""],
    ["untracked", "UNMODIFIED", "UNTRACKED", ""],
    ["x.log", "UNMODIFIED", "IGNORED", ""],
  ]);
  expect((await client.getStatus({ path: "sub" })).entries.map(({ path }) => path)).toEqual(["changed"]);
  const paths: string[] = [];
  for (let pageToken = "", page = 0; page === 0 || pageToken !== ""; page++) {
    const answer = await client.getStatus({ pageSize: 4, pageToken });
    paths.push(...answer.entries.map(({ path }) => path));
    pageToken = answer.nextPageToken;
  }
  expect(paths).toEqual(["both", "gone", "new\nname", "staged", "sub/changed", "untracked"]);
});

test("a status tells an unborn branch, a detached HEAD and what is under way", async () => {
  const repository = makeRepository();
  const { client } = await openGitServer(repository.path);
  expect(await client.getStatus({})).toMatchObject({ branch: "main", headId: "", upstream: "" });
  repository.write("a", "base\n");
  repository.commit();
  repository.git("checkout", "-q", "-b", "side");
  repository.write("a", "theirs\n");
  const theirs = repository.commit();
  repository.git("checkout", "-q", "main");
  repository.write("a", "ours\n");
  repository.commit();
  const underway = async (): Promise<GitUnderway> => (await client.getStatus({})).underway;
  const stops: readonly (readonly [string[], string[], GitUnderway])[] = [
    [["merge", "side"], ["merge", "--abort"], GitUnderway.MERGE],
    [["rebase", "side"], ["rebase", "--abort"], GitUnderway.REBASE],
    [["cherry-pick", "side"], ["cherry-pick", "--abort"], GitUnderway.CHERRY_PICK],
    [["revert", "--no-edit", theirs], ["revert", "--abort"], GitUnderway.REVERT],
  ];
  for (const [begin, end, expected] of stops) {
    expect(() => repository.git(...begin)).toThrow();
    expect(await underway()).toBe(expected);
    repository.git(...end);
  }
  repository.git("bisect", "start");
  expect(await underway()).toBe(GitUnderway.BISECT);
  repository.git("bisect", "reset");
  repository.git("checkout", "-q", "--detach");
  expect(await client.getStatus({})).toMatchObject({ branch: "", underway: GitUnderway.UNSPECIFIED });
});

test("commits come newest first, in pages that do not move when the branch does", async () => {
  const repository = makeRepository();
  const ids = Array.from({ length: 7 }, (_, index) => {
    repository.write(index % 2 === 0 ? "even" : "odd", String(index));
    return repository.commit(`subject ${index}\n\nbody\nof ${index}\n`);
  }).toReversed();
  const { client } = await openGitServer(repository.path);
  const seen: string[] = [];
  for (let pageToken = "", page = 0; page === 0 || pageToken !== ""; page++) {
    const answer = await client.listCommits({ pageSize: 3, pageToken });
    seen.push(...answer.commits.map(({ commitId }) => commitId));
    pageToken = answer.nextPageToken;
    if (page === 0) repository.commit("later");
  }
  expect(seen).toEqual(ids);
  const [commit] = (await client.listCommits({ revision: ids[0] ?? "", pageSize: 1 })).commits;
  expect(commit).toMatchObject({
    commitId: ids[0],
    parentIds: [ids[1]],
    subject: "subject 6",
    body: "body\nof 6",
    author: { name: "Test", email: "test@example.com" },
  });
  expect(ids[0]?.startsWith(commit?.shortId ?? "-")).toBe(true);
  const { commits } = await client.listCommits({ changedPath: { path: "odd" } });
  expect(commits.map(({ subject }) => subject)).toEqual(["subject 5", "subject 3", "subject 1"]);
  const range = await client.listCommits({ revision: `${ids[3]}..${ids[0]}`, pageSize: 2 });
  const rest = await client.listCommits({
    revision: `${ids[3]}..${ids[0]}`,
    pageSize: 2,
    pageToken: range.nextPageToken,
  });
  expect([...range.commits, ...rest.commits].map(({ commitId }) => commitId)).toEqual(ids.slice(0, 3));
  await expectReason(client.listCommits({ revision: "nope" }), "REF_NOT_FOUND");
  await expectReason(client.listCommits({ revision: "--all" }), "REF_NOT_FOUND");
  for (const pageToken of ["x", "?", "NQ", "bnVsbA"]) {
    for (const call of [client.listCommits, client.listBranches, client.getStatus, client.listChanges]) {
      expect(await expectReason(call({ pageToken }), "INVALID_FIELD")).toMatchObject({ subject: "page_token" });
    }
  }
  await expectReason(client.listCommits({ pageSize: -1 }), "INVALID_FIELD");
});

test("a repository without a commit has an empty history, and a bare one has all of its", async () => {
  const directory = temporaryDirectory();
  makeRepository(join(directory, "unborn"));
  const repository = makeRepository(join(directory, "repository"));
  repository.commit();
  repository.git("clone", "-q", "--bare", repository.path, join(directory, "bare"));
  const { client } = await openGitServer(directory);
  expect((await client.listCommits({ path: "unborn" })).commits).toEqual([]);
  expect((await client.listBranches({ path: "unborn" })).branches).toEqual([]);
  expect((await client.listCommits({ path: "bare" })).commits.length).toBe(1);
  expect((await client.listBranches({ path: "bare" })).branches.map(({ name }) => name)).toEqual(["main"]);
  for (const call of [() => client.listCommits({}), () => client.listBranches({}), () => client.getStatus({})]) {
    await expectReason(call(), "NOT_A_REPOSITORY");
  }
  await expectReason(client.getStatus({ path: "bare" }), "BARE_REPOSITORY");
  await expectReason(client.listCommits({ path: "none" }), "FILE_NOT_FOUND");
});

test("branches tell where they are, what they follow and how far they are from it", async () => {
  const origin = makeRepository();
  origin.commit("first");
  origin.git("branch", "other");
  origin.git("branch", "gone");
  const clone = cloneOf(origin);
  clone.git("branch", "-q", "--track", "gone", "origin/gone");
  clone.git("update-ref", "-d", "refs/remotes/origin/gone");
  const ahead = clone.commit("ahead");
  const { client } = await openGitServer(clone.path);
  const { branches } = await client.listBranches({});
  expect(branches).toMatchObject([
    { name: "gone", upstream: "origin/gone", upstreamGone: true, current: false, remote: false },
    { name: "main", refName: "refs/heads/main", commitId: ahead, subject: "ahead", current: true, ahead: 1, behind: 0 },
  ]);
  const first = await client.listBranches({ includeRemote: true, pageSize: 3 });
  const second = await client.listBranches({ includeRemote: true, pageSize: 3, pageToken: first.nextPageToken });
  expect([...first.branches, ...second.branches].map(({ name }) => name)).toEqual([
    "gone",
    "main",
    "origin/main",
    "origin/other",
  ]);
  expect(first.branches[2]).toMatchObject({ remote: true, current: false });
});

test("a machine without git says so", async () => {
  const repository = makeRepository();
  const { client } = await openGitServer(repository.path);
  const before = process.env["PATH"];
  process.env["PATH"] = temporaryDirectory();
  try {
    expect((await expectReason(client.listChanges({}), "GIT_NOT_INSTALLED")).subject).toBe("git");
    await expectReason(client.commit({ message: "x", allowEmpty: true }), "GIT_NOT_INSTALLED");
    await expectReason(client.cloneRepository({ url: repository.path, path: "x" }), "GIT_NOT_INSTALLED");
  } finally {
    process.env["PATH"] = before;
  }
});

test("a git that takes too long or prints too much is ended, with all that it started", async () => {
  const repository = makeRepository();
  for (let index = 0; index < 200; index++) repository.write(`file-${index}`, "1");
  const short = await openGitServer(repository.path, { limits: { maxGitOutputBytes: 1000 } });
  const detail = await expectReason(short.client.listChanges({}), "LIMIT_EXCEEDED");
  expect(detail.limit).toMatchObject({ name: "max_git_output_bytes", value: 1000n });

  const bin = temporaryDirectory();
  const pids = join(bin, "pids");
  writeFileSync(join(bin, "git"), `#!/bin/sh\nsleep 1000 &\necho $$ $! >> '${pids}'\nwait\n`);
  chmodSync(join(bin, "git"), 0o755);
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = `${bin}${delimiter}${before}`;
  try {
    const server = await openGitServer(repository.path, { limits: { gitTimeoutMs: 200 } });
    await expectReason(server.client.getStatus({}), "GIT_TIMED_OUT");
    await expectReason(server.client.commit({ message: "x", allowEmpty: true }), "GIT_TIMED_OUT");
    const unlimited = await openGitServer(repository.path);
    const abort = new AbortController();
    const begun = (): number => (existsSync(pids) ? readFileSync(pids, "utf8").split("\n").length : 0);
    const earlier = begun();
    const reading = unlimited.client.listBranches({}, { signal: abort.signal }).catch((error: unknown) => error);
    await until(() => begun() > earlier);
    abort.abort();
    await reading;
  } finally {
    process.env["PATH"] = before;
  }
  const started = readFileSync(pids, "utf8");
  const isThere = (pid: string): boolean => {
    const stat = readProcStat(Number(pid));
    return stat !== undefined && !isGone(stat);
  };
  await expect.poll(() => started.split(/\s+/).filter(Boolean).filter(isThere), patient).toEqual([]);
});
