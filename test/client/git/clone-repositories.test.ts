import { expect, test } from "vitest";
import { InvalidRequest, NotFound } from "../../../client/src/index.ts";
import type { GitCloneOptions, RepositorySource } from "../../../client/src/index.ts";
import { cloneRepositories } from "../../../client/src/git/clone-repositories.ts";

type Asked = GitCloneOptions & { url: string };

/** Who notes what is to be cloned, so that no test asks the hosts that these tokens would be for. */
function notary(fails: readonly string[] = []): {
  asked: Asked[];
  cloneRepository(url: string, options?: GitCloneOptions): Promise<{ path: string; headId: string; branch: string }>;
} {
  const asked: Asked[] = [];
  return {
    asked,
    async cloneRepository(url, options = {}) {
      asked.push({ ...options, url });
      if (fails.some((part) => url.includes(part))) throw new NotFound("no", { reason: "REMOTE_NOT_FOUND" });
      return { path: `/workspace/${String(options.path)}`, headId: "1", branch: "main" };
    },
  };
}

const tokens = { github: "gh", gitlab: "gl", bitbucket: "bb" };

async function askedFor(sources: readonly RepositorySource[]): Promise<Asked[]> {
  const git = notary();
  await cloneRepositories(git, sources, { tokens });
  return git.asked.toSorted((one, other) => String(one.path).localeCompare(String(other.path)));
}

test("each provider's token goes to its own host alone, with the user name it goes with", async () => {
  const asked = await askedFor([
    "https://github.com/a/one",
    "https://gitlab.com/a/two.git",
    "http://bitbucket.org/a/three",
    "https://example.com/a/zero",
    { url: "a/four", provider: "gitlab" },
    { url: "https://git.example.com/a/own", provider: "gitlab" },
    "git@github.com:a/ssh.git",
  ]);
  const told = asked.map(({ url, token, username }) => [url, token, username]);
  expect(told).toEqual([
    ["https://gitlab.com/a/four.git", "gl", "oauth2"],
    ["https://github.com/a/one", "gh", "x-access-token"],
    ["https://git.example.com/a/own", "gl", "oauth2"],
    ["git@github.com:a/ssh.git", undefined, undefined],
    ["https://bitbucket.org/a/three", "bb", "x-token-auth"],
    ["https://gitlab.com/a/two.git", "gl", "oauth2"],
    ["https://example.com/a/zero", undefined, undefined],
  ]);
});

test("a host that only looks like a provider's gets no token, even where one is asked for", async () => {
  const git = notary();
  const sources = [
    "https://github.com.evil.example/a/b",
    { url: "https://github.com.evil.example/a/c", provider: "github" },
    { url: "https://evil-github.com/a/d", provider: "github" },
    { url: "https://user@github.com@evil.example/a/e", provider: "github" },
  ] as const;
  const { errors, failedRepos } = await cloneRepositories(git, sources, { tokens });
  expect(git.asked.map(({ url, token }) => [url.slice(-1), token])).toEqual([
    ["b", undefined],
    ["e", "gh"],
  ]);
  expect(failedRepos.length).toBe(2);
  expect(Object.values(errors).every((error) => InvalidRequest.is(error))).toBe(true);
});

test("names are safe, apart from each other and given in order; the same repository is cloned once", async () => {
  const git = notary(["fails"]);
  const result = await cloneRepositories(
    git,
    [
      "https://example.com/a/name.git",
      "https://example.com/b/name",
      "https://example.com/a/name.git",
      "https://example.com/c/we ird;name",
      "https://example.com/c/..",
      "https://example.com/fails",
      { url: "https://example.com/d/name", ref: "v1.0" },
      { url: "https://example.com/d/sha", ref: "0123456" },
    ],
    { targetDir: "/there/" },
  );
  expect(Object.values(result.repoMappings).map(({ dirName }) => dirName)).toEqual([
    "name",
    "name_1",
    "we_ird_name",
    "repo",
    "name_2",
    "sha",
  ]);
  expect(result.failedRepos).toEqual(["https://example.com/fails"]);
  expect(result.successCount).toBe(6);
  const byPath = new Map(git.asked.map((asked) => [asked.path, asked]));
  expect(byPath.get("/there/name_2")).toMatchObject({ ref: "v1.0", depth: 1, timeoutMs: 300_000 });
  expect(byPath.get("/there/sha")?.depth).toBeUndefined();
});
