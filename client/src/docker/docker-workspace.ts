import type { Connection } from "../connection/connection.ts";
import { ConnectedWorkspace } from "../connected-workspace.ts";
import { failAfter } from "../engine/clean-up.ts";
import { withFreshKey } from "../engine/key-entries.ts";
import { NotFound } from "../errors.ts";
import type { DockerDescription } from "../workspace.ts";
import { checkOptions, reattachOptions, serverPort } from "./check-options.ts";
import { Container } from "./container.ts";
import type { DockerWorkspaceOptions, ReattachOptions } from "./docker-options.ts";
import { engineOf } from "./engine.ts";
import type { Engine } from "./engine.ts";
import { translated } from "./engine-errors.ts";
import { chooseContainer, enterKey } from "./let-in.ts";
import { listOrphans, sweep } from "./orphans.ts";
import type { Orphan, OrphanOptions } from "./orphans.ts";
import { haveImage, removeImage } from "./pull-image.ts";
import { connectToContainer } from "./serve-in-container.ts";
import { startContainer } from "./start-container.ts";
import { startLimited } from "./start-limits.ts";
import { isUp, paused, whyNotServing, whyNotStarted } from "./why-dead.ts";

const stopMs = 10_000;
const logLines = 200;

/** What a workspace in a container is made of. */
export interface DockerParts {
  readonly container: Container;
  readonly connection: Connection;
  readonly apiKey: string;
}

/** A workspace in a container of its own, on this machine's Docker or Podman. */
export class DockerWorkspace extends ConnectedWorkspace {
  readonly kind: string = "docker";
  /** The key that opens the server: a fresh one for each client. Not in `toJSON`. */
  readonly apiKey: string;
  readonly #container: Container;
  readonly #connection: Connection;
  readonly #options: DockerWorkspaceOptions;
  readonly #logs = new AbortController();
  #closing: Promise<void> | undefined;

  protected constructor({ container, connection, apiKey }: DockerParts, options: DockerWorkspaceOptions) {
    super(connection, undefined, options.defaults);
    this.apiKey = apiKey;
    this.#container = container;
    this.#connection = connection;
    this.#options = options;
    void this.#followLogs();
  }

  /**
   * Starts a container and resolves once the server in it is well. It is published on loopback alone, with a fresh key of
   * which the container has only the digest.
   *
   * Rejects, with nothing left running, where there is no engine (ENGINE_MISSING) or it refuses this user
   * (ENGINE_DENIED), where there is no image (IMAGE_NOT_FOUND, IMAGE_PULL_FAILED) or one for other machines or clients
   * (IMAGE_INVALID, CONTRACT_MISMATCH), where a name or port is taken (NAME_IN_USE, PORT_IN_USE), where the container
   * ends (START_FAILED, CONTAINER_OUT_OF_MEMORY, STORAGE_FULL) or takes too long (START_TIMED_OUT).
   */
  static async start(options: DockerWorkspaceOptions = {}): Promise<DockerWorkspace> {
    checkOptions(options);
    const engine = engineOf(options);
    const { serverImage: image = defaultImage, platform, onProgress } = options;
    // The default is built, not published: whoever has that name in a registry is somebody else.
    const { pull = options.serverImage === undefined ? "never" : "missing" } = options;
    const parts = await startLimited(options, async (signal) => {
      await translated({ image }, () => haveImage(engine, { image, platform, pull, onProgress, signal }));
      return await startParts(engine, image, options, signal);
    });
    return new DockerWorkspace(parts, options);
  }

  /**
   * The workspace in a container that runs, started by this program or another. Without `apiKey` it gets a fresh key, by
   * way of the engine. Closing it keeps the container unless `onClose` says otherwise.
   *
   * Rejects with NotFound (CONTAINER_GONE) where there is none, and with InvalidState where it has stopped or is paused.
   */
  static async reattach(options: ReattachOptions): Promise<DockerWorkspace> {
    checkOptions(options, reattachOptions);
    const engine = engineOf(options);
    const parts = await startLimited(options, (signal) =>
      translated({ container: options.name ?? "" }, async () => {
        const container = await Container.find(engine, await chooseContainer(engine, options, signal), signal);
        const why = await whyNotServing(engine, container.state);
        if (why !== undefined) throw why;
        const connect = (key: string) => connectToContainer(container, key, options, signal);
        if (options.apiKey !== undefined) {
          const { apiKey } = options;
          return { container, apiKey, connection: await connect(apiKey) };
        }
        const enter = (digest: string) => enterKey(container, digest, signal);
        return { container, ...(await withFreshKey(enter, connect, signal)) };
      }),
    );
    return new DockerWorkspace(parts, { onClose: "keep", ...options });
  }

  /** The containers of clients that are gone: what `sweep` would remove. */
  static async listOrphans(options?: OrphanOptions): Promise<Orphan[]> {
    return await listOrphans(options);
  }

  /** Removes the containers of clients that are gone, with their volumes. Those that were to be kept stay. */
  static async sweep(options?: OrphanOptions): Promise<Orphan[]> {
    return await sweep(options);
  }

  get containerId(): string {
    return this.#container.state.id;
  }

  get containerName(): string {
    return this.#container.state.name;
  }

  get image(): string {
    return this.#container.state.image;
  }

  /** Where the server is reached, as RemoteWorkspace takes it. */
  get host(): string {
    return this.#container.host;
  }

  /** Of `extraPorts`: those of the container, with the ports of this machine's loopback that lead to them. */
  get ports(): ReadonlyMap<number, number> {
    return new Map([...this.#container.state.ports].filter(([port]) => port !== serverPort));
  }

  /** Freezes all that runs in the container. Calls are refused until `resume`; commands under way go on after it. */
  async pause(): Promise<void> {
    await this.#container.pause();
    this.#connection.setAside = paused(this.containerName);
  }

  /** Lets a paused container go on, or starts one that has stopped, and waits until its server is well. */
  async resume(): Promise<void> {
    const before = await this.#container.refresh();
    if (before.status === "paused") await this.#container.unpause();
    else if (!isUp(before)) await this.#container.start();
    await this.#container.refresh();
    (await connectToContainer(this.#container, this.apiKey, this.#options)).close();
    this.#connection.setAside = undefined;
  }

  /** Whether the container runs and the server in it is well. Takes 5 s at most and never rejects. */
  override async alive(): Promise<boolean> {
    const isRunning = await this.#container.refresh().then(
      ({ status }) => status === "running",
      () => false,
    );
    return isRunning && (await super.alive());
  }

  /** The newest lines that the server has logged. */
  async logs({ tail = logLines }: { tail?: number | undefined } = {}): Promise<string[]> {
    return await translated({ container: this.containerName }, async () => {
      const lines: string[] = [];
      for await (const line of this.#container.logs({ tail, follow: false })) lines.push(line);
      return lines;
    });
  }

  toJSON(): DockerDescription {
    return { kind: "docker", container: this.containerId, workingDir: this.workingDir };
  }

  /**
   * Lets go of the container: it is stopped and removed with its anonymous volumes, or kept or paused as `onClose` says.
   * Commands have `stopTimeoutMs` to end.
   */
  override async close(): Promise<void> {
    await (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { keepAlive, onClose = keepAlive ? "keep" : "remove", cleanupImage, stopTimeoutMs = stopMs } = this.#options;
    this.#connection.close();
    try {
      if (onClose === "pause") await this.#container.pause();
      if (onClose === "remove") await this.#container.stop(stopTimeoutMs);
    } catch (error) {
      // Stopped or removed by somebody else: that is what was wanted.
      if (onClose !== "remove" || !NotFound.is(error)) throw error;
    } finally {
      this.#logs.abort();
      if (onClose === "remove") await this.#container.remove();
    }
    if (onClose === "remove" && cleanupImage) await removeImage(this.#container.engine, this.image);
  }

  async #followLogs(): Promise<void> {
    const { detachLogs = false, onLog } = this.#options;
    if (!detachLogs && onLog === undefined) return;
    try {
      for await (const line of this.#container.logs({ follow: true, signal: this.#logs.signal })) {
        if (detachLogs) process.stderr.write(`[DOCKER] ${line}\n`);
        onLog?.(line);
      }
    } catch {
      // The container is gone, or this workspace is closed.
    }
  }
}

/** What a clone of the project calls the image that it builds. */
const defaultImage = "yonder-workspace";

/** Starts a container of an image that is there. Where that fails, nothing of it is left. */
export async function startParts(
  engine: Engine,
  image: string,
  options: DockerWorkspaceOptions,
  signal: AbortSignal,
): Promise<DockerParts> {
  const { id, apiKey, discard } = await startContainer(engine, image, options, signal);
  try {
    const container = await Container.find(engine, id, signal);
    // One that has ended by now publishes no port to ask at.
    if (!isUp(container.state)) throw await whyNotStarted(engine, container.state);
    return { container, apiKey, connection: await connectToContainer(container, apiKey, options, signal) };
  } catch (error) {
    return failAfter(discard, error);
  }
}
