import { createApp, openWorkspace } from "@yonder/server";
import type { WorkspaceOptions } from "@yonder/server";
import { resolve } from "node:path";
import { ConnectedWorkspace } from "./connected-workspace.ts";
import { Connection } from "./connection/connection.ts";
import { firstContact } from "./connection/first-contact.ts";
import { defaultRetry } from "./connection/retry.ts";
import { checkDefaults } from "./exec/known-options.ts";
import type { CommandDefaults } from "./exec/options.ts";
import { onlyKnown } from "./option-rules.ts";
import type { Names } from "./option-rules.ts";
import type { LocalDescription } from "./workspace.ts";

export interface LocalWorkspaceOptions {
  /** The directory to work in; relative to this process's own. */
  workingDir: string;
  /**
   * Where ids, ends and output of commands are kept, so that they can be read when the workspace is opened again.
   * Default: a temporary directory, removed by `close`.
   */
  stateDirectory?: string | undefined;
  /** Limits other than the server's defaults; see `ServerInfo.limits`. */
  limits?: WorkspaceOptions["limits"] | undefined;
  /** What options of commands are where a call gives none. */
  defaults?: CommandDefaults | undefined;
  /** Told of what failed inside, with the id that the error names. Default: nobody. */
  onInternalError?: ((error: unknown, id: string) => void) | undefined;
}

const localOptions: Names<LocalWorkspaceOptions> = {
  workingDir: true,
  stateDirectory: true,
  limits: true,
  defaults: true,
  onInternalError: true,
};

const callMs = 30_000;

/** A workspace on this machine: the server's services in this process, without a wire, a port or a key. */
export class LocalWorkspace extends ConnectedWorkspace {
  readonly kind = "local";
  readonly #directory: string;
  readonly #stop: () => Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(
    connection: Connection,
    directory: string,
    options: LocalWorkspaceOptions,
    stop: () => Promise<void>,
  ) {
    super(connection, undefined, options.defaults);
    this.#directory = directory;
    this.#stop = async () => {
      connection.close();
      await stop();
    };
  }

  /** Opens a workspace in a directory, which need not exist before the first command. */
  static async open(options: LocalWorkspaceOptions): Promise<LocalWorkspace> {
    onlyKnown(options, localOptions);
    checkDefaults(options.defaults);
    const workingDirectory = resolve(options.workingDir);
    const { limits, stateDirectory, onInternalError } = options;
    const told = onInternalError && {
      onInternalError: (id: string, error: unknown) => onInternalError(error, id),
    };
    const workspace = await openWorkspace({ workingDirectory, stateDirectory, ...(limits && { limits }), ...told });
    const app = createApp({ ...workspace, maxMessageBytes: workspace.limits.maxMessageBytes, ...told });
    const transport = app.createTransport();
    const connection = new Connection({
      host: "this process",
      open: () => ({ calls: transport, streams: transport, abort: () => {} }),
      apiKey: undefined,
      retry: defaultRetry,
      callMs,
    });
    const stop = async () => {
      app.lifecycle.refuseNewCalls();
      await workspace.stop({ leaveRunning: false });
      app.lifecycle.cutRunningCalls();
      await workspace.close();
    };
    try {
      await firstContact(connection, { connectMs: callMs });
    } catch (error) {
      await stop();
      throw error;
    }
    return new LocalWorkspace(connection, workingDirectory, options, stop);
  }

  /** Nothing to set aside. */
  async pause(): Promise<void> {}

  /** Nothing to take up again. */
  async resume(): Promise<void> {}

  toJSON(): LocalDescription {
    return { kind: "local", workingDir: this.#directory };
  }

  /** Ends the commands that still run, and lets go of the directory. */
  override async close(): Promise<void> {
    await (this.#closing ??= this.#stop());
  }
}
