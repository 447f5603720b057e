import { randomUUID } from "node:crypto";
import { createClient, type Client } from "@connectrpc/connect";
import {
  GitBaseChoice,
  GitChangeStatus,
  GitService,
  type GetDiffResponse,
  type GitChange,
  type ListChangesResponse,
} from "@yonder/proto";
import { onTestFinished } from "vitest";
import { createApp } from "../../server/src/app.ts";
import { createConfinedPaths } from "../../server/src/files/confined-paths.ts";
import { createOpenPaths } from "../../server/src/files/open-paths.ts";
import { Git } from "../../server/src/git/git.ts";
import { Activity } from "../../server/src/rpc/activity.ts";
import { createGitService } from "../../server/src/rpc/git-service.ts";
import { defaultLimits, type Limits } from "../../server/src/util/limits.ts";
import { isolateGit } from "./repositories.ts";

export interface GitServer {
  readonly client: Client<typeof GitService>;
  readonly git: Git;
  readonly instanceId: string;
}

export interface GitServerOptions {
  readonly confine?: string;
  readonly limits?: Partial<Limits>;
}

/** The git service in memory over a directory, with the interceptors of a real server. */
export async function openGitServer(directory: string | Buffer, options: GitServerOptions = {}): Promise<GitServer> {
  isolateGit();
  const workingDirectory = Buffer.from(directory);
  const paths =
    options.confine === undefined
      ? createOpenPaths(workingDirectory)
      : await createConfinedPaths(Buffer.from(options.confine), workingDirectory);
  const git = new Git({ paths, limits: { ...defaultLimits, ...options.limits } });
  onTestFinished(async () => {
    await git.stop();
    await paths.close();
  });
  const identity = { workspaceId: randomUUID(), instanceId: randomUUID() };
  const app = createApp({
    identity,
    activity: new Activity(),
    maxMessageBytes: 4 * 1024 * 1024,
    routes: (router) => void router.service(GitService, createGitService(git, identity)),
  });
  return { client: createClient(GitService, app.createTransport()), git, instanceId: identity.instanceId };
}

/** Changes as lines: "UPDATED a.txt", "MOVED a.txt -> b.txt". */
export function changeLines({ changes }: Pick<ListChangesResponse, "changes">): string[] {
  return changes.map((change) => {
    const name = statusName(change);
    return change.oldPath === "" ? `${name} ${change.path}` : `${name} ${change.oldPath} -> ${change.path}`;
  });
}

/** Lists the changes below a directory of the workspace, as lines. */
export async function changesOf({ client }: GitServer, path = "", baseRef = ""): Promise<string[]> {
  return changeLines(await client.listChanges({ path, baseRef }));
}

/** How the base of the directory's own repository was chosen. */
export async function choiceOf({ client }: GitServer, path = ""): Promise<string> {
  const { comparisons } = await client.listChanges({ path });
  const choice = comparisons.find((comparison) => comparison.path === "")?.baseChoice;
  return Object.entries(GitBaseChoice).find(([, value]) => value === choice)?.[0] ?? "none";
}

export function statusName({ status }: Pick<GitChange | GetDiffResponse, "status">): string {
  return Object.entries(GitChangeStatus).find(([, value]) => value === status)?.[0] ?? "unknown";
}

/** Both sides of a file's diff as text; undefined where there is none. */
export async function sidesOf(
  { client }: GitServer,
  path: string,
  request: { baseRef?: string; commit?: string } = {},
): Promise<{ status: string; original: string | undefined; modified: string | undefined }> {
  const diff = await client.getDiff({ path, ...request });
  const text = (data: Uint8Array | undefined): string | undefined => data && Buffer.from(data).toString("utf8");
  return {
    status: statusName(diff),
    original: text(diff.original?.data),
    modified: text(diff.modified?.data),
  };
}

/** A unified diff as text. */
export function unified(diff: GetDiffResponse): string {
  return Buffer.from(diff.unifiedDiff).toString("utf8");
}
