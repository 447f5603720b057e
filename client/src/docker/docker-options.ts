import type { RemoteWorkspaceOptions } from "../remote-workspace.ts";
import type { PullProgress } from "./pull-image.ts";

/** How a container is made and a workspace in it started. Everything has a default. */
export interface DockerWorkspaceOptions extends Pick<RemoteWorkspaceOptions, "timeouts" | "retry" | "defaults"> {
  /**
   * The image, one that the Dockerfile of this project made or that its server was copied into. Default
   * "yonder-workspace", which a clone of this project builds and no registry has.
   */
  serverImage?: string | undefined;
  /** The directory to work in, in the container. Default "/workspace". */
  workingDir?: string | undefined;
  /** The port of this machine's loopback that leads to the server. Default: one that is free. */
  hostPort?: number | undefined;
  /** What is mounted: "/of/this/machine:/in/the/container[:ro]", or a volume's name before the colon. */
  volumes?: readonly string[] | undefined;
  /** Variables for everything in the container. `docker inspect` shows them: secrets go with the command that needs them. */
  environment?: Readonly<Record<string, string>> | undefined;
  /** Names of variables of this process that the container gets too, where they are set. */
  forwardEnv?: readonly string[] | undefined;
  /** A network of the engine. "none": the container has none, and is spoken to through a socket. */
  network?: string | undefined;
  /** As in "linux/amd64". Default: the engine's own. */
  platform?: string | undefined;
  /** Gives the container all GPUs. */
  enableGpu?: boolean | undefined;
  /** Ports of the container that are published on this machine's loopback as well; `ports` tells where. */
  extraPorts?: readonly number[] | undefined;
  /** Prints what the server logs on standard error, as it comes. Default false. */
  detachLogs?: boolean | undefined;
  /** Gets each line that the server logs. */
  onLog?: ((line: string) => void) | undefined;
  /** Removes the image, too, when the workspace is closed. */
  cleanupImage?: boolean | undefined;
  /** How long the server may take to be well once its container runs, in milliseconds. Default 120,000. */
  healthCheckTimeoutMs?: number | undefined;
  /** How long all of it may take, pulling included, in milliseconds. Past it, nothing is left. Default 600,000. */
  startTimeoutMs?: number | undefined;
  /** How much memory, as in "512m" or in bytes. What takes more is ended as out of memory. Default: no limit. */
  memory?: string | number | undefined;
  /** How many processors, as in 0.5. Default: no limit. */
  cpus?: number | undefined;
  /** How many processes and threads. Default: no limit. */
  pids?: number | undefined;
  /** Limits of each process, as in { nofile: 65536 }. Default: the engine's. */
  ulimits?: Readonly<Record<string, number>> | undefined;
  /** Makes the image's files unchangeable; the working directory, the home and /tmp stay writable. */
  readOnly?: boolean | undefined;
  /** Who everything runs as: "1000", "1000:1000", a name. Need not be in the image's /etc/passwd. */
  user?: string | number | undefined;
  /** Capabilities to give up; "ALL" for all. */
  capDrop?: readonly string[] | undefined;
  capAdd?: readonly string[] | undefined;
  /** Whether programs may gain rights that their caller has not, by setuid bits for example. Default false. */
  allowNewPrivileges?: boolean | undefined;
  /** As `docker run --security-opt` takes them: "seccomp=unconfined" with the profile's text for a path. */
  securityOpt?: readonly string[] | undefined;
  /** The runtime of the engine that runs the container, as in "runsc". */
  runtime?: string | undefined;
  /** Temporary file systems in memory: their paths with options, as in { "/scratch": "size=64m" }. */
  tmpfs?: Readonly<Record<string, string>> | undefined;
  /** The size of /dev/shm, as in "256m". */
  shmSize?: string | number | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  /** The container's name. Default: one that nobody else has. */
  name?: string | undefined;
  /** Whether the image is pulled: where it is missing (the default), always, or never. */
  pull?: "missing" | "always" | "never" | undefined;
  /** Told how pulling or building the image goes. */
  onProgress?: ((progress: PullProgress) => void) | undefined;
  /** What becomes of the container when the workspace is closed. Default "remove". */
  onClose?: "remove" | "keep" | "pause" | undefined;
  /** The same as `onClose: "keep"`. */
  keepAlive?: boolean | undefined;
  /** How long the server has to end its commands when the container is stopped, in milliseconds. Default 10,000. */
  stopTimeoutMs?: number | undefined;
  /** Where the engine is, as in DOCKER_HOST. Default: as `docker` itself finds it, or Podman's socket. */
  dockerHost?: string | undefined;
  /** Gives up the start; nothing is left then. */
  signal?: AbortSignal | undefined;
}

/** Which container, and what of it is this client's business. */
export interface ReattachOptions extends Pick<
  DockerWorkspaceOptions,
  | "timeouts"
  | "retry"
  | "defaults"
  | "detachLogs"
  | "onLog"
  | "onClose"
  | "stopTimeoutMs"
  | "healthCheckTimeoutMs"
  | "startTimeoutMs"
  | "dockerHost"
  | "signal"
> {
  /** The container's name or id. */
  name?: string | undefined;
  /** Instead of a name: labels that one container of ours has, and no other. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** The key that it was started with. Default: a fresh one, which is let in by way of the engine. */
  apiKey?: string | undefined;
}
