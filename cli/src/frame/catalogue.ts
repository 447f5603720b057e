import type { Verb } from "./verb.ts";

/** A verb as the table of contents has it: enough for `yonder --help`; the rest is loaded when it is called. */
export interface Entry {
  readonly summary: string;
  /** Absent for one that only has verbs below it. */
  readonly load?: () => Promise<{ readonly verb: Verb }>;
  /** Absent, unless it takes all that follows as it is and has its own help. */
  readonly raw?: (args: readonly string[]) => Promise<void>;
  readonly verbs?: Catalogue;
}

export type Catalogue = Readonly<Record<string, Entry>>;

const commands: Catalogue = {
  ps: {
    summary: "List the commands that run, and those that ended and are still kept",
    load: () => import("../verbs/ps.ts"),
  },
};

const files: Catalogue = {};

const git: Catalogue = {};

const workspaces: Catalogue = {
  info: { summary: "Tell what answers there, and its limits", load: () => import("../verbs/info.ts") },
  doctor: {
    summary: "Say what stands between here and the workspace, and what to do about it",
    load: () => import("../verbs/doctor.ts"),
  },
  serve: {
    summary: "Serve a workspace: run commands in it for clients elsewhere",
    raw: async (args) => await (await import("../verbs/serve.ts")).serve(args),
  },
  key: {
    summary: "Make an API key, and the digest of it that a server is given",
    load: () => import("../verbs/key.ts"),
  },
};

/** All verbs, by the headings of `yonder --help`. */
export const catalogue: readonly (readonly [heading: string, verbs: Catalogue])[] = [
  ["Commands:", commands],
  ["Files:", files],
  [
    "Git:",
    Object.keys(git).length > 0 ? { git: { summary: "Read and change the repositories there", verbs: git } } : {},
  ],
  ["Workspaces:", workspaces],
];
