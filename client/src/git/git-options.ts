import type { AsUser } from "../as-user.ts";
import type { PathLike } from "../files/wire-path.ts";
import type {
  CloneRepositoriesResult,
  ClonedRepository,
  GitBranch,
  GitCommit,
  GitHead,
  GitProgress,
  GitPulled,
  GitRefUpdate,
  GitStatus,
} from "./git-results.ts";

/** The everyday verbs of git, done in the workspace by its server. */
export interface Git {
  /** How a repository stands: its branch, what is under way, and what differs between HEAD, index and disk. */
  status(path?: PathLike, options?: GitStatusOptions): Promise<GitStatus>;
  /** Commits, newest first, 100 at most unless `limit` says otherwise. */
  commits(path?: PathLike, options?: GitCommitsOptions): Promise<GitCommit[]>;
  /** Branches, sorted by name. */
  branches(path?: PathLike, options?: GitBranchesOptions): Promise<GitBranch[]>;

  /** Stages what is asked and commits the index. */
  commit(message: string, options?: GitCommitOptions): Promise<GitCommit>;
  /** Moves HEAD to a branch, tag or commit, makes a branch, or, with `paths`, brings files back. */
  checkout(ref: string | undefined, options?: GitCheckoutOptions): Promise<GitHead>;

  /**
   * Clones a repository into the workspace. A cut of the connection does not end it, this call goes on over a new one;
   * aborting `signal` does, and nothing is left behind.
   */
  cloneRepository(url: string, options?: GitCloneOptions): Promise<ClonedRepository>;
  /** Clones several, each into a directory of its own; one that fails does not stop the rest. */
  cloneRepositories(
    repositories: readonly RepositorySource[],
    options?: CloneRepositoriesOptions,
  ): Promise<CloneRepositoriesResult>;
  /** Brings a remote's branches and tags up to date here; resolves to what moved. */
  fetch(options?: GitFetchOptions): Promise<GitRefUpdate[]>;
  /** Fetches, and brings the current branch up to date. */
  pull(options?: GitPullOptions): Promise<GitPulled>;
  /** Brings a remote's branches up to date with ours; resolves to what moved there. */
  push(options?: GitPushOptions): Promise<GitRefUpdate[]>;
}

export interface GitReadOptions extends AsUser {
  /** Stops reading. */
  signal?: AbortSignal | undefined;
}

export interface GitChangesOptions extends GitReadOptions {
  /** The branch, tag or commit to compare with. Default: chosen as docs/git.md says. */
  ref?: string | undefined;
  /** What this commit changed, instead of what differs on disk. */
  commit?: string | undefined;
  /** Whether the changes of nested repositories are listed too. Default true. */
  nested?: boolean | undefined;
}

export interface GitDiffOptions extends GitReadOptions {
  /** The branch, tag or commit to compare with. Default: chosen as docs/git.md says. */
  ref?: string | undefined;
  /** What this commit changed, instead of what differs on disk. */
  commit?: string | undefined;
  /** How many unchanged lines stand around a change in the unified diff. Default 3. */
  contextLines?: number | undefined;
  /** How many bytes of each text to fetch at most; more is left out, and `truncated` set. Default 64 MiB. */
  maxBytes?: number | undefined;
}

export interface GitStatusOptions extends GitReadOptions {
  /** List ignored files too. Default false. */
  ignored?: boolean | undefined;
}

export interface GitCommitsOptions extends GitReadOptions {
  /** The branch, tag or commit to begin from, or a range ("v1..main"). Default HEAD. */
  ref?: string | undefined;
  /** Only commits that changed this file or directory, relative to the repository's directory that was given. */
  changed?: PathLike | undefined;
  /** How many at most. Default 100. */
  limit?: number | undefined;
}

export interface GitBranchesOptions extends GitReadOptions {
  /** List the branches of remotes, as last seen there, too. Default false. */
  remote?: boolean | undefined;
}

export interface GitVerbOptions extends AsUser {
  /** A directory of the repository. Default: the workspace's. */
  path?: PathLike | undefined;
  /** Run the repository's hooks. Default false. */
  hooks?: boolean | undefined;
  /** How long git may take, in milliseconds. Default: the server's, 10 minutes. */
  timeoutMs?: number | undefined;
}

/** Who did something. */
export interface GitPerson {
  name: string;
  email: string;
  /** Default: now. */
  time?: Date | undefined;
}

export interface GitCommitOptions extends GitVerbOptions {
  /** Stage these first, relative to `path`. What was staged before is committed too. */
  paths?: readonly PathLike[] | undefined;
  /** Stage everything first. Default false. */
  all?: boolean | undefined;
  /** Default: as git is configured. */
  author?: GitPerson | undefined;
  /** Default: as git is configured, and where it is not, the author. */
  committer?: GitPerson | undefined;
  /** Commit even where nothing changed. Default false. */
  allowEmpty?: boolean | undefined;
  /** Take the place of the last commit; an empty message keeps the one there is. Default false. */
  amend?: boolean | undefined;
}

export interface GitCheckoutOptions extends GitVerbOptions {
  /** Make this branch and move to it. */
  newBranch?: string | undefined;
  /** Move HEAD to the commit itself. Default false. */
  detach?: boolean | undefined;
  /** Throw away changes that are in the way. Default false. */
  force?: boolean | undefined;
  /** Bring these back, relative to `path`, and leave HEAD where it is. */
  paths?: readonly PathLike[] | undefined;
}

/** A secret for one host. It is with git for as long as the call takes, and nowhere else. */
export type GitCredentials = {
  /** "github.com", "git.example.com:8443". Default: the host of the call's URL. "http://host" allows cleartext. */
  host?: string | undefined;
} & (
  | {
      /** Default: "x-access-token". */
      username?: string | undefined;
      /** A password or token. */
      token: string;
    }
  | {
      /** A private key for ssh, in PEM or OpenSSH's form. */
      privateKey: string | Uint8Array;
      passphrase?: string | undefined;
      /** Lines of a known_hosts file; then the host's key must be among them. */
      knownHosts?: string | undefined;
      /** Take an unknown host's key as it comes, without remembering it. Default false. */
      acceptUnknownHost?: boolean | undefined;
    }
);

export interface GitRemoteOptions extends Omit<GitVerbOptions, "path"> {
  /** A password or token for the host of the URL, over https. */
  token?: string | undefined;
  /** Goes with `token`. Default: "x-access-token". */
  username?: string | undefined;
  /** Secrets for other hosts, or for ssh. */
  credentials?: readonly GitCredentials[] | undefined;
  /** Called as git comes further. A promise that it returns is awaited. */
  onProgress?: ((progress: GitProgress) => void | Promise<void>) | undefined;
  /** Ends git in the workspace, with all that it started. The call then rejects with AbortError. */
  signal?: AbortSignal | undefined;
}

export interface GitCloneOptions extends GitRemoteOptions {
  /** The directory to make. Default: the last part of the URL. */
  path?: PathLike | undefined;
  /** The branch, tag or commit to check out. Default: the remote's default branch. */
  ref?: string | undefined;
  /** How many commits of history to bring. Default: all. */
  depth?: number | undefined;
  /** Bring only the branch of `ref`. Default false. */
  singleBranch?: boolean | undefined;
  /** Clone the submodules too. Default false. */
  submodules?: boolean | undefined;
}

export interface GitFetchOptions extends GitRemoteOptions {
  /** A directory of the repository. Default: the workspace's. */
  path?: PathLike | undefined;
  /** The remote's name. Default: the one that the current branch follows, or origin. */
  remote?: string | undefined;
  /** What to fetch. Default: as configured. */
  refspecs?: readonly string[] | undefined;
  /** Remove what is not there any more. Default false. */
  prune?: boolean | undefined;
  /** Fetch all tags. Default false. */
  tags?: boolean | undefined;
  /** Cut the history to so many commits. Default: as it is. */
  depth?: number | undefined;
  /** Bring the whole history of a shallow repository. Default false. */
  unshallow?: boolean | undefined;
}

export interface GitPullOptions extends GitRemoteOptions {
  /** A directory of the repository. Default: the workspace's. */
  path?: PathLike | undefined;
  /** The remote's name. Default: the one that the current branch follows. */
  remote?: string | undefined;
  /** The remote's branch; needs `remote`. Default: the one that the current branch follows. */
  branch?: string | undefined;
  /** What to do where both sides have commits. Default "ff-only": nothing, and reject with GIT_CONFLICT. */
  strategy?: "ff-only" | "merge" | "rebase" | undefined;
}

export interface GitPushOptions extends GitRemoteOptions {
  /** A directory of the repository. Default: the workspace's. */
  path?: PathLike | undefined;
  /** The remote's name. Default: the one that the current branch follows, or origin. */
  remote?: string | undefined;
  /** What to push. Default: the current branch. */
  refspecs?: readonly string[] | undefined;
  /** Let the pushed branches follow the remote's from now on. Default false. */
  setUpstream?: boolean | undefined;
  /** Push all tags. Default false. */
  tags?: boolean | undefined;
  /** Overwrite what the remote has: only what was last seen there, or whatever it is. Default: not at all. */
  force?: "with-lease" | "always" | undefined;
}

/** Who hosts a repository. */
export type GitProvider = "github" | "gitlab" | "bitbucket";

/** A URL, or "owner/name" at a provider. */
export type RepositorySource =
  | string
  | {
      readonly url: string;
      /** A branch, a tag, or 7 to 40 digits of a commit's id. Default: the default branch. */
      readonly ref?: string | undefined;
      /** Needed for "owner/name", and for a token to go to a host that is not the provider's own. */
      readonly provider?: GitProvider | undefined;
    };

export interface CloneRepositoriesOptions extends AsUser {
  /** The directory that the repositories' own are made in. Default: the workspace's. */
  targetDir?: string | undefined;
  /** A token a provider. Each goes to its provider's host alone, or to the one that a source names with the provider. */
  tokens?: Readonly<Partial<Record<GitProvider, string>>> | undefined;
  /** How long each may take, in milliseconds. Default 300,000. */
  timeoutMs?: number | undefined;
  /** Ends the clones that run; those that are done stay. */
  signal?: AbortSignal | undefined;
}
