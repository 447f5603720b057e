import { HealthCheckResponse_ServingStatus as ServingStatus, Health } from "@yonder/proto/grpc/health/v1/health";
import { ExecService, ExecState, WorkspaceService } from "@yonder/proto";
import type { Connection } from "./connection/connection.ts";
import { executeCommand } from "./exec/execute-command.ts";
import { toExecInfo } from "./exec/from-wire.ts";
import type { ExecHandle } from "./exec/handle.ts";
import type { Command, CommandDefaults, ExecuteCommandOptions, SpawnOptions } from "./exec/options.ts";
import type { CommandResult, ExecInfo } from "./exec/results.ts";
import { attach, spawn } from "./exec/spawn.ts";
import { integer } from "./exec/to-wire.ts";
import type { RequestContext } from "./exec/to-wire.ts";
import { fileDownload, fileUpload } from "./files/file-operations.ts";
import type {
  DownloadDestination,
  FileDownloadOptions,
  FileOperationResult,
  FileUploadOptions,
} from "./files/file-operations.ts";
import { ConnectedFileSystem } from "./files/file-system.ts";
import type { FileSystem } from "./files/file-system-options.ts";
import type { PathLike } from "./files/wire-path.ts";
import { ConnectedGit } from "./git/connected-git.ts";
import { gitChanges } from "./git/git-changes.ts";
import { gitDiff } from "./git/git-diff.ts";
import type { Git, GitChangesOptions, GitDiffOptions } from "./git/git-options.ts";
import type { GitChange, GitDiff } from "./git/git-results.ts";
import { onlyKnown } from "./option-rules.ts";
import type { Names } from "./option-rules.ts";
import { toServerInfo } from "./server-info.ts";
import type { ServerInfo, ServerInfoOptions } from "./server-info.ts";
import { EndOfScope } from "./scope/end-of-scope.ts";
import type { UploadInput } from "./transfer/upload-source.ts";
import type { ExecsOptions, Workspace, WorkspaceDescription } from "./workspace.ts";

const aliveTimeoutMs = 5_000;
const pageSize = 500;
const execsOptions: Names<ExecsOptions> = { labels: true, state: true };

/** What every body that speaks to a server has in common: all but how the server is reached. */
export abstract class ConnectedWorkspace implements Workspace {
  abstract readonly kind: string;
  readonly #connection: Connection;
  readonly #context: RequestContext;
  readonly #scope = new EndOfScope();
  readonly fs: FileSystem;
  readonly git: Git;

  protected constructor(connection: Connection, workingDir: string | undefined, defaults: CommandDefaults = {}) {
    this.#connection = connection;
    this.#context = { workingDir, defaults };
    this.fs = new ConnectedFileSystem(connection, this.#context);
    this.git = new ConnectedGit(connection, this.#context);
  }

  get workingDir(): string {
    return this.#context.workingDir ?? this.#connection.peer?.workingDirectory ?? "";
  }

  executeCommand(command: Command, options?: ExecuteCommandOptions): Promise<CommandResult> {
    return executeCommand(this.#connection, this.#context, command, options);
  }

  spawn(command: Command, options?: SpawnOptions): Promise<ExecHandle> {
    return spawn(this.#connection, this.#context, command, options);
  }

  async attach(execId: string, options: { cursor?: number | undefined } = {}): Promise<ExecHandle> {
    onlyKnown(options, { cursor: true });
    const cursor = options.cursor === undefined ? undefined : integer("cursor", options.cursor);
    return attach(this.#connection, this.#context, execId, cursor);
  }

  async execs(options: ExecsOptions = {}): Promise<ExecInfo[]> {
    onlyKnown(options, execsOptions);
    const { labels = {}, state } = options;
    const execs: ExecInfo[] = [];
    const wireState =
      state === undefined ? ExecState.UNSPECIFIED : state === "ended" ? ExecState.ENDED : ExecState.RUNNING;
    let pageToken = "";
    do {
      const request = { labels, state: wireState, pageSize, pageToken };
      const page = await this.#connection.call(ExecService.method.listExecs, request);
      execs.push(...page.execs.map((exec) => toExecInfo(exec, this.#connection.peer?.platform ?? "")));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return execs;
  }

  fileUpload(source: UploadInput, destination: PathLike, options?: FileUploadOptions): Promise<FileOperationResult> {
    return fileUpload(this.#connection, this.#context, source, destination, options);
  }

  fileDownload(
    source: PathLike,
    destination?: DownloadDestination,
    options?: FileDownloadOptions,
  ): Promise<FileOperationResult> {
    return fileDownload(this.#connection, this.#context, source, destination, options);
  }

  gitChanges(path?: PathLike, options?: GitChangesOptions): Promise<GitChange[]> {
    return gitChanges(this.#connection, this.#context, path, options);
  }

  gitDiff(path: PathLike, options?: GitDiffOptions): Promise<GitDiff> {
    return gitDiff(this.#connection, this.#context, path, options);
  }

  async alive(): Promise<boolean> {
    try {
      const options = { timeoutMs: aliveTimeoutMs };
      const retry = this.#connection.retry({});
      const { status } = await this.#connection.attempt(Health.method.check, {}, retry, options);
      return status === ServingStatus.SERVING;
    } catch {
      return false;
    }
  }

  async getServerInfo({ diagnose = false }: ServerInfoOptions = {}): Promise<ServerInfo> {
    return toServerInfo(await this.#connection.call(WorkspaceService.method.getInfo, { diagnose }));
  }

  resetClient(): void {
    this.#connection.reset();
  }

  abstract pause(): Promise<void>;
  abstract resume(): Promise<void>;
  abstract toJSON(): WorkspaceDescription;

  registerConversation(conversationId: string): void {
    this.#scope.registerConversation(conversationId);
  }

  registerCost(cost: number): void {
    this.#scope.registerCost(cost);
  }

  registerFailure(error: unknown): void {
    this.#scope.registerFailure(error);
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.end(() => this.close());
  }
}
