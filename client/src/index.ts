export { createWorkspace, workspaceFromJSON } from "./create-workspace.ts";
export type { CreateWorkspaceOptions, FromJSONOptions } from "./create-workspace.ts";
export { RemoteWorkspace } from "./remote-workspace.ts";
export type { RemoteWorkspaceOptions, TimeoutOptions } from "./remote-workspace.ts";
export type {
  ExecsOptions,
  LocalDescription,
  RemoteDescription,
  Workspace,
  WorkspaceDescription,
} from "./workspace.ts";
export type { ServerFeature, ServerInfo, ServerLimits } from "./server-info.ts";
export type { ApiKey } from "./connection/api-key.ts";
export type { TlsOptions } from "./connection/dial.ts";
export type { RetryOptions } from "./connection/retry.ts";
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
export type { ExecHandle, OutputReader, TerminalSize } from "./exec/handle.ts";
export type { KillTarget } from "./exec/end-tree.ts";
export type { OutputLine, OutputOptions, OutputPart } from "./exec/read-output.ts";
export type { ExecStdin } from "./exec/stdin-writer.ts";
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
  Unavailable,
  Unsupported,
  YonderError,
} from "./errors.ts";
export type { ErrorReason } from "./errors.ts";
