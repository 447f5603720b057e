import type { Engine } from "./engine.ts";
import { toContainerError } from "./engine-errors.ts";

/** What the engine knows of a container. */
export interface ContainerState {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead" | "stopped";
  readonly exitCode: number;
  readonly wasOutOfMemory: boolean;
  /** Why it could not be started, in the runtime's words. */
  readonly error: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The published ports: those of the container, with where they are on this machine. */
  readonly ports: ReadonlyMap<number, number>;
  readonly environment: readonly string[];
  /** Its first process, as the engine's machine counts them. 0: it does not run. */
  readonly pid: number;
}

interface Inspection {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    Status: ContainerState["status"];
    ExitCode: number;
    OOMKilled: boolean;
    Error: string;
    Pid?: number;
  };
  readonly Config: { Image: string; Labels: Record<string, string> | null; Env: string[] | null };
  readonly NetworkSettings: { Ports?: Record<string, { HostPort: string }[] | null> | null };
}

/** Asks the engine. Rejects with NotFound (CONTAINER_GONE) where there is none. */
export async function inspectContainer(
  engine: Engine,
  container: string,
  signal?: AbortSignal,
): Promise<ContainerState> {
  try {
    const { Id, Name, State, Config, NetworkSettings } = await engine.json<Inspection>(
      "GET",
      `/containers/${encodeURIComponent(container)}/json`,
      { signal },
    );
    const ports = Object.entries(NetworkSettings.Ports ?? {}).flatMap(([port, bindings]) => {
      const [binding] = bindings ?? [];
      return binding === undefined ? [] : [[Number.parseInt(port, 10), Number(binding.HostPort)] as const];
    });
    return {
      id: Id,
      name: Name.replace(/^\//, ""),
      image: Config.Image,
      status: State.Status,
      exitCode: State.ExitCode,
      wasOutOfMemory: State.OOMKilled,
      error: State.Error,
      labels: Config.Labels ?? {},
      ports: new Map(ports),
      environment: Config.Env ?? [],
      pid: State.Pid ?? 0,
    };
  } catch (error) {
    throw toContainerError(error, { container });
  }
}
