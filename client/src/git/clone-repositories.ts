import { throwIfAborted } from "../connection/retry.ts";
import { AlreadyExists, InvalidRequest, YonderError } from "../errors.ts";
import type { CloneRepositoriesOptions, Git, GitProvider, RepositorySource } from "./git-options.ts";
import type { CloneRepositoriesResult, ClonedSource } from "./git-results.ts";

interface Provider {
  readonly host: string;
  /** The user name that its tokens go with. */
  readonly username: string;
}

const PROVIDERS: Readonly<Record<GitProvider, Provider>> = {
  github: { host: "github.com", username: "x-access-token" },
  gitlab: { host: "gitlab.com", username: "oauth2" },
  bitbucket: { host: "bitbucket.org", username: "x-token-auth" },
};
const TIMEOUT_MS = 300_000;
const AT_ONCE = 4;
const MOST_NAMES = 100;
const COMMIT_ID = /^[0-9a-f]{7,40}$/;

/** Clones several repositories in the workspace, a few at once; one that fails does not stop the rest. */
export async function cloneRepositories(
  git: Pick<Git, "cloneRepository">,
  repositories: readonly RepositorySource[],
  options: CloneRepositoriesOptions,
): Promise<CloneRepositoriesResult> {
  const tasks = [...new Map(repositories.map((source) => [keyOf(source), source])).entries()];
  const taken = new Set<string>();
  const done = new Map<string, ClonedSource>();
  const errors = new Map<string, YonderError>();
  const queue = tasks.map(([key, source]) => ({ key, source }));
  // Names are given before the first clone, so that they do not depend on which is quicker.
  const named = queue.map((task) => ({ ...task, name: freeName(nameOf(task.key), taken) }));

  const worker = async (): Promise<void> => {
    for (let task = named.shift(); task !== undefined; task = named.shift()) {
      const { key, source, name } = task;
      try {
        throwIfAborted(options.signal);
        done.set(key, await cloneOne(git, source, name, taken, options));
      } catch (error) {
        throwIfAborted(options.signal);
        if (!YonderError.is(error)) throw error;
        errors.set(key, error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));

  const keys = tasks.map(([key]) => key);
  return {
    successCount: done.size,
    failedRepos: keys.filter((key) => errors.has(key)),
    errors: inOrder(keys, errors),
    repoMappings: inOrder(keys, done),
  };
}

/** Which was done first is no matter to who asked. */
function inOrder<T>(keys: readonly string[], values: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...values].toSorted(([one], [other]) => keys.indexOf(one) - keys.indexOf(other)));
}

async function cloneOne(
  git: Pick<Git, "cloneRepository">,
  source: RepositorySource,
  name: string,
  taken: Set<string>,
  { targetDir = "", tokens = {}, timeoutMs = TIMEOUT_MS, signal, user }: CloneRepositoriesOptions,
): Promise<ClonedSource> {
  const { ref, provider } = typeof source === "string" ? {} : source;
  const url = cloneUrl(source);
  const secret = tokenFor(url, provider, tokens);
  const depth = ref === undefined || COMMIT_ID.test(ref) ? {} : { depth: 1 };
  for (let dirName = name; ; dirName = freeName(name, taken)) {
    const path = targetDir === "" ? dirName : `${targetDir.replace(/\/+$/, "")}/${dirName}`;
    try {
      const cloned = await git.cloneRepository(url, { path, ref, ...depth, ...secret, timeoutMs, signal, user });
      return { url: keyOf(source), dirName, localPath: cloned.path, ref };
    } catch (error) {
      // Something of that name was there before us.
      if (!AlreadyExists.is(error) || error.reason !== "FILE_EXISTS" || taken.size > MOST_NAMES) throw error;
    }
  }
}

/** What was asked for, and what tells two of the same apart from two others. */
function keyOf(source: RepositorySource): string {
  return (typeof source === "string" ? source : source.url).replace(/\/+$/, "");
}

function cloneUrl(source: RepositorySource): string {
  const url = keyOf(source);
  const provider = typeof source === "string" ? undefined : source.provider;
  if (/^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/.test(url)) {
    if (provider === undefined) {
      throw invalid(`"${url}" needs a provider: github, gitlab or bitbucket`);
    }
    return `https://${PROVIDERS[provider].host}/${url}.git`;
  }
  // Nothing that a provider serves needs to go in the clear.
  return isProviders(url) ? url.replace(/^http:\/\//i, "https://") : url;
}

function isProviders(url: string): boolean {
  return URL.canParse(url) && Object.values(PROVIDERS).some(({ host }) => new URL(url).hostname === host);
}

/** The token for a URL's host, if there is one that may go there. */
function tokenFor(
  url: string,
  provider: GitProvider | undefined,
  tokens: Readonly<Partial<Record<GitProvider, string>>>,
): { token?: string; username?: string } {
  if (!URL.canParse(url) || new URL(url).protocol !== "https:") return {};
  const { hostname } = new URL(url);
  const own = (Object.keys(PROVIDERS) as GitProvider[]).find((name) => PROVIDERS[name].host === hostname);
  const chosen = provider ?? own;
  const token = chosen === undefined ? undefined : tokens[chosen];
  if (chosen === undefined || token === undefined) return {};
  const { host, username } = PROVIDERS[chosen];
  const looksAlike = hostname !== host && Object.values(PROVIDERS).some((other) => hostname.includes(other.host));
  if (looksAlike) throw invalid(`"${hostname}" only looks like a host of ${chosen}; no token goes there`);
  return { token, username };
}

/** The last part of a URL, of characters that are safe everywhere. */
function nameOf(url: string): string {
  const last =
    url
      .replace(/\/?\.git$/, "")
      .split(/[/:]/)
      .at(-1) ?? "";
  const safe = last.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^[.-]+/, "");
  return safe === "" ? "repo" : safe;
}

function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let count = 1; taken.has(free); count++) free = `${name}_${count}`;
  taken.add(free);
  return free;
}

function invalid(message: string): InvalidRequest {
  return new InvalidRequest(message, { reason: "INVALID_FIELD", subject: "url" });
}
