import type { ApiKey } from "./connection/api-key.ts";
import { InvalidRequest, Unsupported } from "./errors.ts";
import type { LocalWorkspaceOptions } from "./local-workspace.ts";
import { RemoteWorkspace } from "./remote-workspace.ts";
import type { RemoteWorkspaceOptions } from "./remote-workspace.ts";
import type { Workspace, WorkspaceDescription } from "./workspace.ts";

/** A remote workspace's options, or a local one's: the difference is `host`. */
export type CreateWorkspaceOptions =
  | (RemoteWorkspaceOptions & { workingDir?: string | undefined })
  | (LocalWorkspaceOptions & { host?: undefined; apiKey?: undefined });

/**
 * A workspace: with `host` the one that a server has there, without it one on this machine.
 *
 * A local one needs the package `@yonder/server`, and is loaded only then; without it this rejects with Unsupported.
 */
export async function createWorkspace(options: CreateWorkspaceOptions): Promise<Workspace> {
  if (options.host !== undefined) return RemoteWorkspace.connect(options);
  const { LocalWorkspace } = await loadLocal();
  return LocalWorkspace.open(options);
}

/** What a description leaves out: the key, and what is not of the workspace but of this client. */
export type FromJSONOptions = { apiKey?: ApiKey | undefined } & Partial<
  Pick<RemoteWorkspaceOptions, "tls" | "timeouts" | "retry" | "defaults">
>;

/** The workspace that `toJSON` described. A remote one at whose address another one answers is InstanceChanged. */
export async function workspaceFromJSON(
  description: WorkspaceDescription,
  options: FromJSONOptions = {},
): Promise<Workspace> {
  switch (description.kind) {
    case "remote": {
      const { host, workingDir, workspaceId, protocol, httpVersion } = description;
      return RemoteWorkspace.connect({ host, workingDir, workspaceId, protocol, httpVersion, ...options });
    }
    case "local":
      return createWorkspace({ workingDir: description.workingDir, defaults: options.defaults });
    case "docker": {
      const { DockerWorkspace } = await import("./docker/docker-workspace.ts");
      const { apiKey, timeouts, retry, defaults } = options;
      const key = typeof apiKey === "function" ? await apiKey() : apiKey;
      return DockerWorkspace.reattach({ name: description.container, apiKey: key, timeouts, retry, defaults });
    }
    case "apptainer": {
      const { name, runtimeDir } = description;
      const { apiKey, timeouts, retry, defaults } = options;
      const { ApptainerWorkspace } = await import("./apptainer/apptainer-workspace.ts");
      return ApptainerWorkspace.reattach({ name, runtimeDir, apiKey, timeouts, retry, defaults });
    }
    default: {
      const { kind } = description as { kind: unknown };
      const message = `kind must be "remote", "local", "docker" or "apptainer", got ${JSON.stringify(kind)}`;
      throw new InvalidRequest(message, { reason: "INVALID_FIELD", subject: "kind" });
    }
  }
}

async function loadLocal() {
  try {
    return await import("./local-workspace.ts");
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
    if (!missing) throw cause;
    throw new Unsupported("a local workspace needs the package @yonder/server; without it, give a host", {
      reason: "NOT_SUPPORTED",
      subject: "@yonder/server",
      remedy: "install the package @yonder/server beside @yonder/client",
      feature: "local workspace",
      cause,
    });
  }
}
