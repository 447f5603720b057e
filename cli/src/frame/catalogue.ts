import type { Verb } from "./verb.ts";

/** A verb as the table of contents has it: enough for `yonder --help`; the rest is loaded when it is called. */
export interface Entry {
  readonly summary: string;
  /** Absent for one that only has verbs below it. Of a raw one it is there to be described, and never run. */
  readonly load?: () => Promise<{ readonly verb: Verb }>;
  /** Absent, unless it takes all that follows as it is and has its own help. */
  readonly raw?: (args: readonly string[]) => Promise<void>;
  readonly verbs?: Catalogue;
  /** Whether it is for programs alone, and stands in no help. */
  readonly hidden?: boolean;
}

export type Catalogue = Readonly<Record<string, Entry>>;

const commands: Catalogue = {
  exec: {
    summary: "Run a command, and end as it ends",
    load: () => import("../verbs/exec.ts"),
  },
  shell: {
    summary: "Open a shell on this terminal",
    load: () => import("../verbs/shell.ts"),
  },
  attach: {
    summary: "Come back to a command that runs, or ran",
    load: () => import("../verbs/attach.ts"),
  },
  ps: {
    summary: "List the commands that run, and those that ended and are still kept",
    load: () => import("../verbs/ps.ts"),
  },
  kill: {
    summary: "Send a signal to commands and all that they started",
    load: () => import("../verbs/kill.ts"),
  },
  logs: {
    summary: "Print what a command has printed, whether it runs or has ended",
    load: () => import("../verbs/logs.ts"),
  },
};

const files: Catalogue = {
  cp: {
    summary: "Copy files and trees into the workspace, out of it, and within it",
    load: () => import("../verbs/cp.ts"),
  },
  ls: { summary: "List directories and files", load: () => import("../verbs/ls.ts") },
  cat: { summary: "Print files", load: () => import("../verbs/cat.ts") },
  rm: { summary: "Remove files and directories", load: () => import("../verbs/rm.ts") },
  mkdir: { summary: "Make directories", load: () => import("../verbs/mkdir.ts") },
  mv: { summary: "Give files and directories other names", load: () => import("../verbs/mv.ts") },
  watch: { summary: "Tell what changes", load: () => import("../verbs/watch.ts") },
  search: { summary: "Find files by name, and lines by content", load: () => import("../verbs/search.ts") },
};

const git: Catalogue = {
  changes: { summary: "List what differs from a base, new files too", load: () => import("../verbs/git/changes.ts") },
  diff: { summary: "Show what differs, line by line", load: () => import("../verbs/git/diff.ts") },
  status: { summary: "Tell how a repository stands", load: () => import("../verbs/git/status.ts") },
  log: { summary: "List commits", load: () => import("../verbs/git/log.ts") },
  branch: { summary: "List branches", load: () => import("../verbs/git/branch.ts") },
  checkout: {
    summary: "Move to a branch or commit, or bring files back",
    load: () => import("../verbs/git/checkout.ts"),
  },
  commit: { summary: "Commit", load: () => import("../verbs/git/commit.ts") },
  clone: { summary: "Clone a repository into the workspace", load: () => import("../verbs/git/clone.ts") },
  fetch: { summary: "Bring a remote's branches here", load: () => import("../verbs/git/fetch.ts") },
  pull: { summary: "Fetch, and bring the branch up to date", load: () => import("../verbs/git/pull.ts") },
  push: { summary: "Bring branches to a remote", load: () => import("../verbs/git/push.ts") },
};

const workspaces: Catalogue = {
  info: { summary: "Tell what answers there, and its limits", load: () => import("../verbs/info.ts") },
  doctor: {
    summary: "Say what stands between here and the workspace, and what to do about it",
    load: () => import("../verbs/doctor.ts"),
  },
  serve: {
    summary: "Serve a workspace: run commands in it for clients elsewhere",
    raw: async (args) => await (await import("../verbs/serve.ts")).serve(args),
    load: () => import("../verbs/serve-manual.ts"),
  },
  completion: {
    summary: "Print the script that completes this command in a shell",
    load: () => import("../verbs/completion.ts"),
  },
  __complete: { summary: "Find words for a shell", load: () => import("../verbs/complete.ts"), hidden: true },
  key: {
    summary: "Make an API key, and the digest of it that a server is given",
    load: () => import("../verbs/key.ts"),
  },
};

/** All verbs, by the headings of `yonder --help`. */
export const catalogue: readonly (readonly [heading: string, verbs: Catalogue])[] = [
  ["Commands:", commands],
  ["Files:", files],
  ["Git:", { git: { summary: "Read and change the repositories there", verbs: git } }],
  ["Workspaces:", workspaces],
];
