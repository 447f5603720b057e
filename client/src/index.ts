export { createWorkspace, workspaceFromJSON } from "./create-workspace.ts";
export type { CreateWorkspaceOptions, FromJSONOptions } from "./create-workspace.ts";
export { RemoteWorkspace } from "./remote-workspace.ts";
export type { RemoteWorkspaceOptions } from "./remote-workspace.ts";
export type {
  ApptainerDescription,
  ExecsOptions,
  LocalDescription,
  RemoteDescription,
  Workspace,
  WorkspaceDescription,
} from "./workspace.ts";
export { withWorkspace } from "./scope/with-workspace.ts";
export type { ServerDiagnosis, ServerDisk, ServerTool } from "./server-diagnosis.ts";
export type { ServerFeature, ServerInfo, ServerInfoOptions, ServerLimits } from "./server-info.ts";
export { parseAddress } from "./connection/address.ts";
export type { Address } from "./connection/address.ts";
export type { ApiKey } from "./connection/api-key.ts";
export type { ConnectionChange } from "./connection/connection.ts";
export type { TlsOptions } from "./connection/dial.ts";
export type { RetryOptions } from "./connection/retry.ts";
export type { TimeoutOptions } from "./connection/settings.ts";
export type { HttpVersion, Protocol } from "./connection/transports.ts";
export type {
  Command,
  CommandDefaults,
  CommandLimits,
  CommandOptions,
  ExecuteCommandOptions,
  SpawnOptions,
  TerminalOptions,
} from "./exec/options.ts";
export type { CommandResult, EndReason, ExecEnd, ExecInfo } from "./exec/results.ts";
export type {
  EndedEvent,
  ExecEvent,
  LostEvent,
  OutputEvent,
  ReadOptions,
  ScreenEvent,
  StartedEvent,
  StreamName,
} from "./exec/events.ts";
export { commandLine } from "./exec/quote.ts";
export type { ExecHandle, OutputReader, TerminalSize } from "./exec/handle.ts";
export type { KillTarget } from "./exec/end-tree.ts";
export type { OutputLine, OutputOptions, OutputPart } from "./exec/read-output.ts";
export type { ExecStdin } from "./exec/stdin-writer.ts";
export { FileStats } from "./files/file-stats.ts";
export type { FileKind } from "./files/file-stats.ts";
export type {
  DownloadDestination,
  FileDownloadOptions,
  FileOperationResult,
  FileUploadOptions,
} from "./files/file-operations.ts";
export type {
  CopyOptions,
  DirectoryEntry,
  FileSystem,
  MakeDirectoryOptions,
  ReadDirectoryOptions,
  ReadFileOptions,
  RemoveOptions,
  RenameOptions,
  StatOptions,
  WriteFileOptions,
} from "./files/file-system-options.ts";
export type { SearchMatch, SearchOptions, SearchResult } from "./files/search.ts";
export type { SystemErrorFields } from "./files/system-error.ts";
export type { WatchEvent, WatchOptions } from "./files/watch.ts";
export type { PathLike } from "./files/wire-path.ts";
export type {
  CloneRepositoriesOptions,
  Git,
  GitBranchesOptions,
  GitChangesOptions,
  GitCheckoutOptions,
  GitCloneOptions,
  GitCommitOptions,
  GitCommitsOptions,
  GitCredentials,
  GitDiffOptions,
  GitFetchOptions,
  GitPerson,
  GitProvider,
  GitPullOptions,
  GitPushOptions,
  GitReadOptions,
  GitRemoteOptions,
  GitStatusOptions,
  GitVerbOptions,
  RepositorySource,
} from "./git/git-options.ts";
export type {
  CloneRepositoriesResult,
  ClonedRepository,
  ClonedSource,
  GitBranch,
  GitChange,
  GitCommit,
  GitDiff,
  GitFileState,
  GitHead,
  GitHunk,
  GitProgress,
  GitPulled,
  GitRefUpdate,
  GitStatus,
  GitStatusEntry,
} from "./git/git-results.ts";
export type { TransferDigest } from "./transfer/digest.ts";
export type { OnProgress, TransferProgress } from "./transfer/progress.ts";
export type { UploadInput } from "./transfer/upload-source.ts";
export type { DownloadTreeOptions } from "./tree/download-tree.ts";
export type { IgnoreOptions } from "./tree/ignore-rules.ts";
export type { TreeEntry } from "./tree/pack-tree.ts";
export type { TreeReport } from "./tree/tree-report.ts";
export type { Compare, UploadTreeOptions } from "./tree/upload-tree.ts";
export {
  AbortError,
  AlreadyExists,
  Authentication,
  CommandFailed,
  Conflict,
  ConnectionLost,
  InstanceChanged,
  InvalidRequest,
  InvalidState,
  LimitExceeded,
  NotFound,
  OutputLost,
  PermissionDenied,
  ServerError,
  StartFailed,
  Unavailable,
  Unsupported,
  YonderError,
} from "./errors.ts";
export type { ErrorReason } from "./errors.ts";
