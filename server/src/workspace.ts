import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";
import type { ConnectRouter } from "@connectrpc/connect";
import { ExecService, FileService, GitService, WorkspaceService } from "@yonder/proto";
import { makeDirectories } from "@yonder/transfer";
import { createLocalLauncher } from "./exec/process/local-launcher.ts";
import { openExecEngine } from "./exec/recovery.ts";
import { StateDirectory } from "./exec/state/state-directory.ts";
import { Files } from "./files/files.ts";
import { Git } from "./git/git.ts";
import { Activity } from "./rpc/activity.ts";
import type { OnInternalError } from "./rpc/error-map.ts";
import { createFileService } from "./rpc/file-service.ts";
import { createExecService } from "./rpc/exec-service.ts";
import { createGitService } from "./rpc/git-service.ts";
import type { Identity } from "./rpc/identity.ts";
import { createWorkspaceService } from "./rpc/workspace-service.ts";
import { defaultLimits, type Limits } from "./util/limits.ts";
import { diskSpace } from "./util/disk-space.ts";
import { serveUsers } from "./users/serve-users.ts";
import { Users } from "./users/users.ts";
import { version } from "./version.ts";

export interface WorkspaceOptions {
  /** What relative paths mean. Default: the process's own directory. */
  readonly workingDirectory?: string;
  /** Where ids, ends and output are kept over restarts. Default: a temporary one, removed at close. */
  readonly stateDirectory?: string | undefined;
  readonly labels?: Readonly<Record<string, string>>;
  /** Keep every path of the file service under this directory. Linux only. */
  readonly confine?: string | undefined;
  readonly limits?: Partial<Limits>;
  /** Told of what failed inside a process that works as another user, with the id that the caller is told. */
  readonly onInternalError?: OnInternalError;
}

/** Everything that a server serves, without the wire. */
export interface OpenWorkspace {
  readonly identity: Identity;
  readonly activity: Activity;
  readonly limits: Limits;
  readonly notices: readonly string[];
  /** Registers the services. */
  readonly routes: (router: ConnectRouter) => void;
  /** Takes no new work and ends what runs, or leaves it to itself; readers are told. */
  stop(options: { leaveRunning: boolean }): Promise<void>;
  /** After `stop`, once the last call is over: lets go of files and processes. */
  close(): Promise<void>;
}

/** Opens a workspace: its state, its processes and the services over them. What was opened is closed where the rest fails. */
export async function openWorkspace(options: WorkspaceOptions = {}): Promise<OpenWorkspace> {
  const opened: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).toReversed()) await closeOne();
  };
  try {
    return { ...(await openAll(options, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param opened takes what is to be closed, the last one first */
async function openAll(
  options: WorkspaceOptions,
  opened: (() => Promise<void>)[],
): Promise<Omit<OpenWorkspace, "close">> {
  const workingDirectory = Buffer.from(resolve(options.workingDirectory ?? "."));
  const limits = { ...defaultLimits, ...options.limits };
  const activity = new Activity();
  const onActivity = (): void => activity.touch();

  const state = await StateDirectory.open(options.stateDirectory);
  opened.push(() => state.close());
  const identity = { workspaceId: state.workspaceId, instanceId: randomUUID() };
  const uploadsDirectory = join(state.path, "uploads");
  const files = await Files.open({ workingDirectory, uploadsDirectory, confine: options.confine, limits });
  opened.push(() => files.close());
  const git = new Git({ paths: files.paths, limits });
  const runtimeDirectory = join(state.path, "pipes");
  await makeDirectories(runtimeDirectory, 0o700);
  const launcher = await createLocalLauncher({ workingDirectory, runtimeDirectory });
  opened.push(() => launcher.close());
  const users = new Users({
    launcher,
    directory: join(state.path, "users"),
    settings: { identity, workingDirectory: workingDirectory.toString(), confine: options.confine, limits },
    onInternalError: options.onInternalError ?? (() => {}),
  });
  opened.push(() => users.close());
  const engine = await openExecEngine({ launcher, state, limits, workingDirectory, onActivity });
  opened.push(() => engine.close());

  // Made once: they remember answers, however often they are registered.
  const execService = createExecService(engine, identity);
  const fileService = serveUsers(FileService, createFileService(files, identity), users);
  const gitService = serveUsers(GitService, createGitService(git, identity), users);
  const workspaceService = createWorkspaceService({
    identity,
    version,
    features: new Set([...launcher.features, ...files.features]),
    notices: launcher.notices,
    workingDirectory,
    limits,
    labels: options.labels ?? {},
    lastActivityTime: () => activity.lastTime,
    runningExecs: () => engine.runningCount,
    async diagnose() {
      const [ofFiles, ofLauncher, ofGit, stateDisk, workingDisk] = await Promise.all([
        files.diagnose(),
        launcher.diagnose(),
        git.diagnose(),
        diskSpace(Buffer.from(state.path)),
        diskSpace(workingDirectory),
      ]);
      return { ...ofFiles, ...ofLauncher, git: ofGit, stateDisk, workingDisk };
    },
  });
  void users.resume();
  return {
    identity,
    activity,
    limits,
    notices: launcher.notices,
    routes: (router) =>
      void router
        .service(ExecService, execService)
        .service(FileService, fileService)
        .service(GitService, gitService)
        .service(WorkspaceService, workspaceService),
    async stop(how) {
      await Promise.all([engine.stop(how), git.stop(), users.stop()]);
    },
  };
}
