import { randomUUID } from "node:crypto";
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { GitPullStrategy, GitPushForce, GitService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { integer } from "../exec/to-wire.ts";
import { toWirePath, toWirePlace, type PathLike, type PlaceContext, type WirePlace } from "../files/wire-path.ts";
import { cloneRepositories } from "./clone-repositories.ts";
import { followOperation } from "./follow-operation.ts";
import {
  toGitBranch,
  toGitCommit,
  toGitHead,
  toGitStatus,
  toRefUpdate,
  toStatusEntry,
  textOrNone,
} from "./from-wire.ts";
import { PAGE_SIZE, READ_MS } from "./git-changes.ts";
import type {
  CloneRepositoriesOptions,
  Git,
  GitBranchesOptions,
  GitCheckoutOptions,
  GitCloneOptions,
  GitCommitOptions,
  GitCommitsOptions,
  GitFetchOptions,
  GitPullOptions,
  GitPushOptions,
  GitReadOptions,
  GitStatusOptions,
  RepositorySource,
} from "./git-options.ts";
import type {
  CloneRepositoriesResult,
  ClonedRepository,
  GitBranch,
  GitCommit,
  GitHead,
  GitPulled,
  GitRefUpdate,
  GitStatus,
  GitStatusEntry,
} from "./git-results.ts";
import { remoteFields, toPathList, toSignature, verbFields } from "./to-wire.ts";

const STRATEGIES = {
  "ff-only": GitPullStrategy.FAST_FORWARD_ONLY,
  merge: GitPullStrategy.MERGE,
  rebase: GitPullStrategy.REBASE,
} as const;
const FORCES = { "with-lease": GitPushForce.WITH_LEASE, always: GitPushForce.ALWAYS } as const;
const USUAL_COMMITS = 100;
/** Hooks may take their time; a call that is cut is made again and gets the first one's answer. */
const VERB_MS = 300_000;

/** Git in a workspace behind a connection. */
export class ConnectedGit implements Git {
  readonly #connection: Connection;
  readonly #context: PlaceContext;

  constructor(connection: Connection, context: PlaceContext) {
    this.#connection = connection;
    this.#context = context;
  }

  async status(path?: PathLike, { ignored = false, signal, user }: GitStatusOptions = {}): Promise<GitStatus> {
    const entries: GitStatusEntry[] = [];
    const request = { ...this.#path(path, user), includeIgnored: ignored, pageSize: PAGE_SIZE, pageToken: "" };
    for (;;) {
      const page = await this.#read(GitService.method.getStatus, request, signal);
      entries.push(...page.entries.map(toStatusEntry));
      request.pageToken = page.nextPageToken;
      if (page.nextPageToken === "") return { ...toGitStatus(page), entries };
    }
  }

  async commits(path?: PathLike, options: GitCommitsOptions = {}): Promise<GitCommit[]> {
    const { ref = "", changed, signal, user } = options;
    const limit = options.limit === undefined ? USUAL_COMMITS : integer("limit", options.limit);
    const changedPath = changed === undefined ? {} : { changedPath: toWirePath(undefined, changed) };
    const request = { ...this.#path(path, user), revision: ref, ...changedPath, pageToken: "" };
    const commits: GitCommit[] = [];
    while (commits.length < limit) {
      const call = { ...request, pageSize: Math.min(limit - commits.length, PAGE_SIZE) };
      const page = await this.#read(GitService.method.listCommits, call, signal);
      commits.push(...page.commits.map(toGitCommit));
      request.pageToken = page.nextPageToken;
      if (page.nextPageToken === "") break;
    }
    return commits;
  }

  async branches(path?: PathLike, { remote = false, signal, user }: GitBranchesOptions = {}): Promise<GitBranch[]> {
    const branches: GitBranch[] = [];
    const request = { ...this.#path(path, user), includeRemote: remote, pageToken: "" };
    do {
      const page = await this.#read(GitService.method.listBranches, request, signal);
      branches.push(...page.branches.map(toGitBranch));
      request.pageToken = page.nextPageToken;
    } while (request.pageToken !== "");
    return branches;
  }

  async commit(message: string, options: GitCommitOptions = {}): Promise<GitCommit> {
    const { path, paths, all = false, allowEmpty = false, amend = false } = options;
    const [author, committer] = [toSignature(options.author), toSignature(options.committer)];
    const { commit } = await this.#act(GitService.method.commit, {
      ...this.#path(path, options.user),
      ...verbFields(options),
      message,
      paths: toPathList(paths),
      stageAll: all,
      ...(author && { author }),
      ...(committer && { committer }),
      allowEmpty,
      amend,
      requestId: randomUUID(),
    });
    if (commit === undefined) throw new TypeError("the server answered without a commit");
    return toGitCommit(commit);
  }

  async checkout(ref: string | undefined, options: GitCheckoutOptions = {}): Promise<GitHead> {
    const { path, newBranch = "", detach = false, force = false, paths } = options;
    const head = await this.#act(GitService.method.checkout, {
      ...this.#path(path, options.user),
      ...verbFields(options),
      revision: ref ?? "",
      newBranch,
      detach,
      force,
      paths: toPathList(paths),
      requestId: randomUUID(),
    });
    return toGitHead(head);
  }

  async cloneRepository(url: string, options: GitCloneOptions = {}): Promise<ClonedRepository> {
    const { path, ref = "", depth = 0, singleBranch = false, submodules = false } = options;
    // Without a path the server names the directory, in its own; so the workspace's has to be told.
    const target = this.#path(path ?? directoryName(url), options.user);
    const request = {
      ...target,
      ...remoteFields(options),
      url,
      revision: ref,
      depth: integer("depth", depth),
      singleBranch,
      recurseSubmodules: submodules,
    };
    const result = await followOperation(this.#connection, GitService.method.cloneRepository, request, options);
    return { path: result.path, ...toGitHead(result) };
  }

  cloneRepositories(
    repositories: readonly RepositorySource[],
    options: CloneRepositoriesOptions = {},
  ): Promise<CloneRepositoriesResult> {
    return cloneRepositories(this, repositories, options);
  }

  async fetch(options: GitFetchOptions = {}): Promise<GitRefUpdate[]> {
    const { path, remote = "", refspecs = [], prune = false, tags = false, depth = 0, unshallow = false } = options;
    const request = { ...this.#path(path, options.user), ...remoteFields(options), remote, refspecs: [...refspecs] };
    const how = { prune, tags, depth: integer("depth", depth), unshallow };
    const method = GitService.method.fetch;
    const { updates } = await followOperation(this.#connection, method, { ...request, ...how }, options);
    return updates.map(toRefUpdate);
  }

  async pull(options: GitPullOptions = {}): Promise<GitPulled> {
    const { path, remote = "", branch = "", strategy = "ff-only" } = options;
    const request = { ...this.#path(path, options.user), ...remoteFields(options), remote, remoteBranch: branch };
    const how = { ...request, strategy: STRATEGIES[strategy] };
    const result = await followOperation(this.#connection, GitService.method.pull, how, options);
    return { ...toGitHead(result), oldHeadId: textOrNone(result.oldHeadId) };
  }

  async push(options: GitPushOptions = {}): Promise<GitRefUpdate[]> {
    const { path, remote = "", refspecs = [], setUpstream = false, tags = false, force } = options;
    const request = { ...this.#path(path, options.user), ...remoteFields(options), remote, refspecs: [...refspecs] };
    const how = { setUpstream, tags, force: force === undefined ? GitPushForce.UNSPECIFIED : FORCES[force] };
    const method = GitService.method.push;
    const { updates } = await followOperation(this.#connection, method, { ...request, ...how }, options);
    return updates.map(toRefUpdate);
  }

  #path(path: PathLike = "", user: string | undefined): WirePlace {
    return toWirePlace(this.#context, path, user);
  }

  #read<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    signal: GitReadOptions["signal"],
  ): Promise<MessageShape<O>> {
    return this.#connection.call(method, request, { signal, timeoutMs: READ_MS });
  }

  #act<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    return this.#connection.call(method, request, { timeoutMs: VERB_MS });
  }
}

/** The name that git gives the directory of a clone. */
function directoryName(url: string): string {
  const path = url.replace(/[/\\]+$/, "").replace(/\/?\.git$/, "");
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf(":")) + 1);
}
