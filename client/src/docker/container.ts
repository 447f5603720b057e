import { InvalidState, NotFound } from "../errors.ts";
import type { Diagnosis } from "../connection/retry.ts";
import { serverPort } from "./check-options.ts";
import { Shortcut } from "../connection/shortcut.ts";
import { hostOf, shortcutOf } from "./container-address.ts";
import { readLogs } from "./container-logs.ts";
import type { LogOptions } from "./container-logs.ts";
import { inspectContainer } from "./container-state.ts";
import type { ContainerState } from "./container-state.ts";
import type { Engine } from "./engine.ts";
import { EngineRefusal, toContainerError, translated } from "./engine-errors.ts";
import { removeContainer } from "./remove-container.ts";
import { removeSocketDirectory, socketDirectoryOf } from "./socket-directory.ts";
import { whyNotServing } from "./why-dead.ts";

const verbMs = 60_000;

/** One container of an engine: its verbs, and what is known of it. */
export class Container {
  readonly engine: Engine;
  #state: ContainerState;

  private constructor(engine: Engine, state: ContainerState) {
    this.engine = engine;
    this.#state = state;
  }

  /** Rejects with NotFound (CONTAINER_GONE) where there is none of this id or name. */
  static async find(engine: Engine, idOrName: string, signal?: AbortSignal): Promise<Container> {
    return new Container(engine, await inspectContainer(engine, idOrName, signal));
  }

  /** As it was when it was last asked about. */
  get state(): ContainerState {
    return this.#state;
  }

  /** Where its server is reached. */
  get host(): string {
    return hostOf(this.#state);
  }

  /** A way there that is faster than the host, where it is open. */
  get shortcut(): Shortcut {
    // Each time anew: a container that was started again has other processes.
    return new Shortcut(() => shortcutOf(this.#state));
  }

  async refresh(signal?: AbortSignal): Promise<ContainerState> {
    return (this.#state = await inspectContainer(this.engine, this.#state.id, signal));
  }

  async pause(): Promise<void> {
    await this.#tell("pause", "paused");
  }

  async unpause(): Promise<void> {
    await this.#tell("unpause", "running");
  }

  async start(): Promise<void> {
    await this.#tell("start", "running");
  }

  /** Stops it; what has not ended after `timeoutMs` is killed. */
  async stop(timeoutMs: number): Promise<void> {
    // A frozen process hears no signal.
    if ((await this.refresh()).status === "paused") await this.unpause();
    await this.#tell("stop", "exited", { t: Math.ceil(timeoutMs / 1_000) }, timeoutMs + verbMs);
  }

  /** Removes it with its anonymous volumes and its socket. */
  async remove(): Promise<void> {
    const { id, name, labels } = this.#state;
    await translated({ container: name }, () => removeContainer(this.engine, id));
    await removeSocketDirectory(socketDirectoryOf(labels));
  }

  logs(options: LogOptions): AsyncGenerator<string> {
    return readLogs(this.engine, this.#state.id, options);
  }

  /** Why its server cannot be reached. Undefined: as far as the engine says, it can. */
  async diagnose(): Promise<Diagnosis | undefined> {
    try {
      const error = await whyNotServing(this.engine, await this.refresh());
      return error && { error, mayPass: error.reason === "CONTAINER_PAUSED" };
    } catch (error) {
      if (NotFound.is(error)) return { error, mayPass: false };
      // An engine that says nothing says nothing about the server.
      return undefined;
    }
  }

  /** That it is in the state already is fine. */
  async #tell(
    verb: "pause" | "unpause" | "start" | "stop",
    status: ContainerState["status"],
    query: Record<string, number> = {},
    timeoutMs = verbMs,
  ): Promise<void> {
    const { id, name, image, ports } = this.#state;
    try {
      await this.engine.json("POST", `/containers/${id}/${verb}`, { query, timeoutMs });
    } catch (error) {
      if (error instanceof EngineRefusal && error.status !== 404) {
        const state = await this.refresh();
        if (state.status === status) return;
        const why = verb === "start" ? undefined : await whyNotServing(this.engine, state);
        if (InvalidState.is(why)) throw why;
      }
      throw toContainerError(error, { container: name, image, hostPort: ports.get(serverPort) });
    }
  }
}
