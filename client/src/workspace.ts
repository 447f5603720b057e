import type { HttpVersion, Protocol } from "./connection/transports.ts";
import type { ExecHandle } from "./exec/handle.ts";
import type { Command, ExecuteCommandOptions, SpawnOptions } from "./exec/options.ts";
import type { CommandResult, ExecInfo } from "./exec/results.ts";
import type {
  DownloadDestination,
  FileDownloadOptions,
  FileOperationResult,
  FileUploadOptions,
} from "./files/file-operations.ts";
import type { FileSystem } from "./files/file-system-options.ts";
import type { PathLike } from "./files/wire-path.ts";
import type { Git, GitChangesOptions, GitDiffOptions } from "./git/git-options.ts";
import type { GitChange, GitDiff } from "./git/git-results.ts";
import type { ServerInfo, ServerInfoOptions } from "./server-info.ts";
import type { UploadInput } from "./transfer/upload-source.ts";

/**
 * A place where commands run: this machine, a container, or a machine far away. Code that takes a Workspace does not
 * care which it got: directories, time limits, exit codes and output are alike everywhere.
 *
 * A call rejects with a `YonderError` where what was asked for could not be done: no such directory, no such program,
 * a key that is not taken, a connection that does not come back. What became of a command is a result.
 */
export interface Workspace extends AsyncDisposable {
  /** Which body it is: "local", "remote", "docker", "apptainer". */
  readonly kind: string;
  /** The directory in which commands run that name no other, and to which a relative `cwd` is relative. */
  readonly workingDir: string;

  /**
   * Runs a command to its end, for 30 s at most unless `timeoutMs` says otherwise, and resolves to what became of it.
   *
   * Rejects with CommandFailed where `check` is set and it did not exit with 0, with AbortError (and the partial
   * result) when `signal` is aborted, and with what a callback threw.
   */
  executeCommand(command: Command, options?: ExecuteCommandOptions): Promise<CommandResult>;

  /**
   * Starts a command and resolves to its handle as soon as it runs, without a time limit. It runs on whether or not
   * anybody reads it. Ended by `kill`, by the end of an `await using` scope, or by its own.
   */
  spawn(command: Command, options?: SpawnOptions): Promise<ExecHandle>;

  /**
   * The handle of a command that was started before, by this client or another, running or ended. Its readers begin
   * at `cursor`, or at the first byte; a terminal's with its screen.
   *
   * Rejects with NotFound where no command has this id, or its output and end are no longer kept (EXEC_EXPIRED).
   */
  attach(execId: string, options?: { cursor?: number | undefined }): Promise<ExecHandle>;

  /** The commands that run, and those that have ended and are still kept, newest first. */
  execs(options?: ExecsOptions): Promise<ExecInfo[]>;

  /**
   * Uploads a file of this machine, bytes or a stream. Missing directories on the way are made, and the file appears
   * whole. What the file system says is a result; rejects where there is no connection, no key, or `signal` is aborted.
   */
  fileUpload(source: UploadInput, destination: PathLike, options?: FileUploadOptions): Promise<FileOperationResult>;

  /**
   * Downloads a file to this machine, to a stream, or, where no destination is given, into the result's `data`. A file
   * appears whole, with mode and time. What the file system says is a result, as for `fileUpload`.
   */
  fileDownload(
    source: PathLike,
    destination?: DownloadDestination,
    options?: FileDownloadOptions,
  ): Promise<FileOperationResult>;

  /** The files, with the names, options and error codes of `node:fs/promises`. */
  readonly fs: FileSystem;

  /**
   * The paths below a directory (default: the workspace's) that differ from the base, sorted, untracked files and nested
   * repositories included. docs/git.md says which base that is.
   */
  gitChanges(path?: PathLike, options?: GitChangesOptions): Promise<GitChange[]>;

  /** One file before and now, whole, with the diff between the two: new, deleted and renamed ones too. */
  gitDiff(path: PathLike, options?: GitDiffOptions): Promise<GitDiff>;

  /** The everyday verbs of git. */
  readonly git: Git;

  /** Whether a server answers and is well. Takes 5 s at most, needs no key and never rejects. */
  alive(): Promise<boolean>;
  /** What answers, with its features and limits; with `diagnose` also what it finds on its machine. */
  getServerInfo(options?: ServerInfoOptions): Promise<ServerInfo>;
  /** Drops the connections; the next call opens new ones, and streams go on over them. */
  resetClient(): void;

  /** Sets the workspace aside. A local one has nothing to do; one that cannot rejects with Unsupported. */
  pause(): Promise<void>;
  /** Takes it up again. A local one has nothing to do; one that cannot rejects with Unsupported. */
  resume(): Promise<void>;

  /** What it takes, beside a key, to have the same workspace again: see `workspaceFromJSON`. */
  toJSON(): WorkspaceDescription;

  /**
   * Lets go of the workspace; calls after it, and streams, reject with WORKSPACE_CLOSED. A remote workspace closes
   * its connections and nothing else; a local one ends the commands that still run.
   *
   * The end of an `await using` scope closes it too, and then tells the automation service how it went, where the
   * environment names one in AUTOMATION_CALLBACK_URL; docs/client.md says what it is told. `withWorkspace` does the
   * same and knows whether the scope failed.
   */
  close(): Promise<void>;

  /** The conversation that the completion callback names. Default: none. */
  registerConversation(conversationId: string): void;
  /** What the completion callback says that the work cost, in US dollars. Default: nothing is said. */
  registerCost(cost: number): void;
  /** Has the completion callback say FAILED, with this error. Default: it says COMPLETED. */
  registerFailure(error: unknown): void;
}

export interface ExecsOptions {
  /** Only commands that have all of these labels. Default: any. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** Only commands in this state. Default: any. */
  state?: "running" | "ended" | undefined;
}

/** A workspace as plain data, without its key. */
export type WorkspaceDescription = LocalDescription | RemoteDescription | DockerDescription | ApptainerDescription;

export interface LocalDescription {
  readonly kind: "local";
  readonly workingDir: string;
}

export interface DockerDescription {
  readonly kind: "docker";
  /** The container's id. */
  readonly container: string;
  readonly workingDir: string;
}

export interface RemoteDescription {
  readonly kind: "remote";
  readonly host: string;
  readonly workingDir: string;
  /** The workspace that is meant. Another one at the same address is then refused with InstanceChanged. */
  readonly workspaceId?: string | undefined;
  /** Where they are not the default. */
  readonly protocol?: Protocol | undefined;
  readonly httpVersion?: HttpVersion | undefined;
}

export interface ApptainerDescription {
  readonly kind: "apptainer";
  /** The instance's, on the machine on which it was started. */
  readonly name: string;
  readonly workingDir: string;
  /** Where it is not the default. */
  readonly runtimeDir?: string | undefined;
}
