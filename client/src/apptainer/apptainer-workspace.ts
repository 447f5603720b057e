import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiKey } from "../connection/api-key.ts";
import type { Connection } from "../connection/connection.ts";
import { ConnectedWorkspace } from "../connected-workspace.ts";
import { failAfter } from "../engine/clean-up.ts";
import { freshKey, keyOf } from "../engine/fresh-key.ts";
import { withFreshKey } from "../engine/key-entries.ts";
import { ownOwner } from "../owner.ts";
import { checkPort } from "../engine/port.ts";
import { waitUntilServing } from "../engine/wait-until-serving.ts";
import { checkDefaults } from "../exec/known-options.ts";
import { onlyKnown } from "../option-rules.ts";
import type { ApptainerDescription } from "../workspace.ts";
import { FollowedFile } from "./followed-file.ts";
import { checkImageContract, haveImage } from "./images.ts";
import { instanceFlags } from "./instance-flags.ts";
import { InstanceFiles, instanceNotFound, listInstances } from "./instance-files.ts";
import type { InstanceRecord } from "./instance-files.ts";
import { endByName, Instance } from "./instance.ts";
import { reattachOptions } from "./options.ts";
import type { ApptainerWorkspaceOptions, ReattachOptions } from "./options.ts";
import { serverFiles } from "./server-files.ts";
import { readOptions, runtimeDirectory } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { inside, startScript, startScriptPath } from "./start-script.ts";

export type { ApptainerWorkspaceOptions, ReattachOptions } from "./options.ts";

type EndOptions = Pick<ReattachOptions, "stopTimeoutMs" | "onClose" | "healthCheckTimeoutMs">;

const defaultStopMs = 5_000;
const defaultHealthMs = 120_000;

/**
 * A workspace in an instance of Apptainer, for machines where nobody may have Docker: it needs no service, no root and
 * no network of its own. Its server is reached through a socket in a directory that is closed to other users.
 */
export class ApptainerWorkspace extends ConnectedWorkspace {
  readonly kind = "apptainer";
  readonly #instance: Instance;
  readonly #connection: Connection;
  readonly #apiKey: ApiKey;
  readonly #options: EndOptions;
  readonly #log: FollowedFile | undefined;
  readonly #runtimeDir: string;
  #closing: Promise<void> | undefined;

  private constructor(
    instance: Instance,
    connection: Connection,
    runtimeDir: string,
    options: EndOptions & Pick<ReattachOptions, "defaults"> & { apiKey: ApiKey },
    log?: FollowedFile,
  ) {
    // The directory is the server's own: what is relative is relative to it there.
    super(connection, undefined, options.defaults);
    this.#instance = instance;
    this.#connection = connection;
    this.#apiKey = options.apiKey;
    this.#options = options;
    this.#log = log;
    this.#runtimeDir = runtimeDir;
  }

  /**
   * Starts an instance, building its image first where it has to be, and resolves once its server answers. Where that
   * fails nothing is left: no instance, no process, no directory.
   *
   * Rejects with Unavailable where there is no Apptainer (ENGINE_MISSING), NotFound where there is no such image, file
   * or directory, InvalidRequest where an option makes no sense or the file is no image (IMAGE_INVALID), Unsupported where
   * its server keeps to another agreement than this client (CONTRACT_MISMATCH), AlreadyExists where the name is taken, LimitExceeded where a disk is full, and StartFailed, with its last lines, where the server
   * ends or does not answer in time.
   */
  static async start(options: ApptainerWorkspaceOptions): Promise<ApptainerWorkspace> {
    const settings = await readOptions(options);
    const { name = `yonder-${randomBytes(6).toString("hex")}`, hostPort, bindServer = false } = options;
    if (hostPort !== undefined) await checkPort("hostPort", hostPort);
    const onClose = options.onClose ?? (options.keepAlive === true ? "keep" : "remove");
    const server = await serverFiles(bindServer);
    const image = await haveImage(options, settings);
    // A server that is brought along does not have the image's agreement.
    if (bindServer === false) await checkImageContract(settings.program, image, options.signal);
    const { key, digest } = options.apiKey === undefined ? freshKey() : keyOf(options.apiKey);

    const files = new InstanceFiles(settings.runtimeDir, name);
    await files.create();
    let instance: Instance | undefined;
    let log: FollowedFile | undefined;
    try {
      const { program, workingDir } = settings;
      const host = hostPort === undefined ? `unix://${files.socket}` : `http://127.0.0.1:${hostPort}`;
      const record: InstanceRecord = {
        owner: ownOwner(),
        name,
        keepAlive: onClose !== "remove",
        workingDir,
        program,
        host,
      };
      await files.write(record);
      await writeConfiguration(files, server.command, digest, options, settings);
      const binds = [
        { source: files.run, target: inside.run, readOnly: false },
        { source: files.config, target: inside.config, readOnly: true },
        { source: join(files.config, "start"), target: startScriptPath, readOnly: true },
        { source: settings.mountDir ?? files.workspace, target: workingDir, readOnly: false },
        ...server.binds,
        ...settings.binds,
      ];
      const flags = instanceFlags(options, { binds, overlay: settings.overlay, temporary: files.temporary });
      log = options.onLog && new FollowedFile(files.log, options.onLog);
      instance = await Instance.start(files, record, image, flags, options.signal);
      const connection = await connect(instance, { ...options, apiKey: key }, options.signal);
      return new ApptainerWorkspace(
        instance,
        connection,
        settings.runtimeDir,
        { ...options, onClose, apiKey: key },
        log,
      );
    } catch (error) {
      return failAfter(async () => {
        // At once: what has not served has nothing to finish.
        if (instance === undefined) await endByName(settings.program, name);
        else await instance.stop(0);
        await log?.end();
        await files.remove();
      }, error);
    }
  }

  /**
   * The workspace that was left running under this name on this machine, paused or not, started by this program or
   * another of this user. Closing it keeps the instance unless `onClose` says otherwise. Rejects with NotFound
   * (WORKSPACE_NOT_FOUND) where there is none, and with Authentication where it takes another key than `apiKey`.
   */
  static async reattach(options: ReattachOptions): Promise<ApptainerWorkspace> {
    onlyKnown(options, reattachOptions);
    checkDefaults(options.defaults);
    const runtimeDir = runtimeDirectory(options.runtimeDir);
    const instance = await Instance.find(new InstanceFiles(runtimeDir, options.name));
    await instance.resume();
    const open = (apiKey: ApiKey) => connect(instance, { ...options, apiKey });
    const { apiKey, connection } =
      options.apiKey === undefined
        ? await withFreshKey((digest) => instance.files.enterKey(digest), open)
        : { apiKey: options.apiKey, connection: await open(options.apiKey) };
    return new ApptainerWorkspace(instance, connection, runtimeDir, { onClose: "keep", ...options, apiKey });
  }

  /**
   * Ends the instances that programs have left without ending them, unless they were to be kept or paused, and resolves
   * to their names.
   */
  static async sweep(options: { runtimeDir?: string | undefined } = {}): Promise<string[]> {
    const runtimeDir = runtimeDirectory(options.runtimeDir);
    const swept: string[] = [];
    for (const name of await listInstances(runtimeDir)) {
      const files = new InstanceFiles(runtimeDir, name);
      const record = await files.read();
      if (record === undefined || !(await files.isOrphan(record))) continue;
      const instance = await Instance.find(files).catch(() => undefined);
      if (instance !== undefined) await instance.stop(defaultStopMs);
      else if (record.init === undefined) await endByName(record.program, name);
      await files.remove();
      swept.push(name);
    }
    return swept;
  }

  /** The instance's name: `apptainer instance list` has it, too. */
  get name(): string {
    return this.#instance.files.name;
  }

  /** The key that its server takes, for `reattach`. */
  get apiKey(): ApiKey {
    return this.#apiKey;
  }

  /** Whether its server answers. False at once while it is paused, or where it has been ended. */
  override async alive(): Promise<boolean> {
    return this.#instance.isRunning && !this.#instance.isPaused && (await super.alive());
  }

  /** Stops every process of the instance (SIGSTOP); time limits of commands stop, too. */
  override async pause(): Promise<void> {
    this.#mustRun("pause");
    await this.#instance.pause();
  }

  /** Lets them go on, and waits until the server answers. */
  override async resume(): Promise<void> {
    this.#mustRun("resume");
    await this.#instance.resume();
    this.resetClient();
    await this.getServerInfo();
  }

  toJSON(): ApptainerDescription {
    const isDefault = this.#runtimeDir === runtimeDirectory(undefined);
    const { name, workingDir } = this;
    return { kind: "apptainer", name, workingDir, ...(!isDefault && { runtimeDir: this.#runtimeDir }) };
  }

  /** Ends the instance and all that runs in it; leaves it, or pauses it, where the options say so. */
  override async close(): Promise<void> {
    await (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { onClose = "remove", stopTimeoutMs = defaultStopMs } = this.#options;
    this.#connection.close();
    if (onClose === "pause") await this.#instance.pause();
    else if (onClose === "remove") await this.#instance.stop(stopTimeoutMs);
    await this.#log?.end();
    if (onClose === "remove") await this.#instance.files.remove();
  }

  #mustRun(verb: string): void {
    this.#connection.closed.throwIfAborted();
    if (this.#instance.isRunning) return;
    throw instanceNotFound(this.name, `there is nothing to ${verb}`);
  }
}

/** What the server reads: its key's digest alone, and how it is started. */
async function writeConfiguration(
  files: InstanceFiles,
  command: string,
  digest: string,
  options: ApptainerWorkspaceOptions,
  settings: Settings,
): Promise<void> {
  const { hostPort, serverFlags = [] } = options;
  const { environment, workingDir } = settings;
  const flags = [
    ...(hostPort === undefined
      ? [`--socket=${inside.run}/yonder.sock`]
      : ["--host=127.0.0.1", `--port=${String(hostPort)}`]),
    `--api-key-file=${inside.config}/keys`,
    `--working-directory=${workingDir}`,
    `--state-directory=${inside.run}/state`,
    "--log-level=warn",
    ...serverFlags,
  ];
  await files.writeKeys([{ owner: ownOwner(), digest }]);
  const script = startScript({ command, flags, environment, workingDir });
  await writeFile(join(files.config, "start"), script, { mode: 0o700 });
}

async function connect(
  instance: Instance,
  options: Pick<ReattachOptions, "timeouts" | "retry" | "healthCheckTimeoutMs"> & { apiKey: ApiKey },
  signal?: AbortSignal,
): Promise<Connection> {
  const { apiKey, timeouts, retry, healthCheckTimeoutMs: timeoutMs = defaultHealthMs } = options;
  const { connection } = await waitUntilServing({
    connect: { host: instance.record.host, apiKey, timeouts, retry },
    subject: `instance ${instance.files.name}`,
    timeoutMs,
    whyDead: () => instance.whyDead(),
    lastLines: () => instance.lastLines(),
    signal,
  });
  return connection;
}
