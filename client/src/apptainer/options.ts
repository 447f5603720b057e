import type { ApiKey } from "../connection/api-key.ts";
import type { RetryOptions } from "../connection/retry.ts";
import type { TimeoutOptions } from "../connection/settings.ts";
import type { CommandDefaults } from "../exec/options.ts";

/** How an instance is made and a workspace in it started. */
export interface ApptainerWorkspaceOptions {
  /**
   * An image to build a SIF file of: `docker://`, `oras://` or `library://` and a reference, `docker-daemon:name:tag`,
   * `docker-archive:/path.tar` or `oci-archive:/path.tar`. A bare `name:tag` is one of `docker://`. Either this or `sifFile`.
   */
  serverImage?: string | undefined;
  /** A SIF file, or a directory with a root file system, that is taken as it is. */
  sifFile?: string | undefined;
  /** Whether to build again what was built before. Default "missing". What names its content by digest never is. */
  pull?: "missing" | "always" | "never" | undefined;
  /** Where SIF files are kept. Default: `yonder/apptainer` in $XDG_CACHE_HOME or ~/.cache. */
  cacheDir?: string | undefined;
  /** How long building may take. Default 30 minutes. */
  buildTimeoutMs?: number | undefined;

  /** The directory to work in, inside. Default "/workspace". */
  workingDir?: string | undefined;
  /** A directory of this machine to be there. Default: an empty one, which is removed at the end. */
  mountDir?: string | undefined;
  /** More of this machine's files and directories: `source`, `source:target` or `source:target:ro`. */
  extraBindMounts?: readonly string[] | undefined;
  /** Where changes of the image's files go: a directory or an image of Apptainer's. Default: memory, or nowhere without `enableDockerCompat`. */
  overlay?: string | undefined;

  /**
   * The server: of the image (false, the default), the one of this program (true; with its Node), or the one in a
   * directory (`docker build --target portable --output DIR .` makes one). The last two go with any glibc image.
   */
  bindServer?: boolean | string | undefined;
  /** More flags for `yonder serve`, such as limits. They are in its command line for all to see. */
  serverFlags?: readonly string[] | undefined;
  /** Variables that commands get. */
  environment?: Readonly<Record<string, string>> | undefined;
  /** Names of variables of this process that commands get, where it has them. */
  forwardEnv?: readonly string[] | undefined;

  /** Whether the workspace's user looks like root inside. Default: yes, unless it is root. */
  useFakeroot?: boolean | undefined;
  /** Whether it is closed off as Docker's are: nothing of this machine but what is bound. Default true. */
  enableDockerCompat?: boolean | undefined;
  /** What not to mount of what Apptainer's configuration mounts. Default "hostfs" and "bind-paths". */
  disableMountLocations?: readonly string[] | undefined;
  /** Makes this machine's GPUs usable: NVIDIA's, or AMD's with "rocm". Default: none. */
  enableGpu?: boolean | "rocm" | undefined;
  /** Whose network it has: this machine's, or none at all. Default "host". */
  network?: "host" | "none" | undefined;
  /** A port of this machine's loopback for the server. Default: none; it is reached through a socket that only this user can open. */
  hostPort?: number | undefined;
  /** Limits of all that runs inside. They need root, or a system with cgroups v2 that lets users have them. Default: none. */
  memory?: string | number | undefined;
  cpus?: number | undefined;
  pids?: number | undefined;

  /** The instance's name. Default: "yonder-" and twelve digits. */
  name?: string | undefined;
  /** The key that its server takes, at least 16 characters. Default: a fresh one, in `apiKey`. */
  apiKey?: string | undefined;
  /** Where sockets, state and the default `mountDir` are: on a local disk. Default: `yonder-UID` in the directory for temporary files. */
  runtimeDir?: string | undefined;
  /** How long the server may take to answer. Default 120,000. */
  healthCheckTimeoutMs?: number | undefined;
  /** How long it may take to end its commands before it is killed. Default 5,000. */
  stopTimeoutMs?: number | undefined;
  /** What `close` does with it: `ApptainerWorkspace.reattach` finds one again that was kept or paused. Default "remove". */
  onClose?: "remove" | "keep" | "pause" | undefined;
  /** The same as `onClose: "keep"`. */
  keepAlive?: boolean | undefined;
  /** Told of each line that building and the server print. Default: nobody. */
  onLog?: ((line: string) => void) | undefined;
  /** Ends the start when it is aborted. */
  signal?: AbortSignal | undefined;
  /** Apptainer. Default "apptainer". */
  program?: string | undefined;
  defaults?: CommandDefaults | undefined;
  timeouts?: TimeoutOptions | undefined;
  retry?: RetryOptions | undefined;
}

/** What it takes to have a workspace again that was left running. */
export interface ReattachOptions extends Pick<
  ApptainerWorkspaceOptions,
  "runtimeDir" | "stopTimeoutMs" | "healthCheckTimeoutMs" | "defaults" | "timeouts" | "retry"
> {
  /** The instance's name. */
  name: string;
  /** The key that it was started with. Default: a fresh one, which is let in by way of its files. */
  apiKey?: ApiKey | undefined;
  /** What `close` does with it. Default "keep". */
  onClose?: "remove" | "keep" | "pause" | undefined;
}

export const startOptions: Readonly<Record<keyof ApptainerWorkspaceOptions, true>> = {
  serverImage: true,
  sifFile: true,
  pull: true,
  cacheDir: true,
  buildTimeoutMs: true,
  workingDir: true,
  mountDir: true,
  extraBindMounts: true,
  overlay: true,
  bindServer: true,
  serverFlags: true,
  environment: true,
  forwardEnv: true,
  useFakeroot: true,
  enableDockerCompat: true,
  disableMountLocations: true,
  enableGpu: true,
  network: true,
  hostPort: true,
  memory: true,
  cpus: true,
  pids: true,
  name: true,
  apiKey: true,
  runtimeDir: true,
  healthCheckTimeoutMs: true,
  stopTimeoutMs: true,
  onClose: true,
  keepAlive: true,
  onLog: true,
  signal: true,
  program: true,
  defaults: true,
  timeouts: true,
  retry: true,
};

export const reattachOptions: Readonly<Record<keyof ReattachOptions, true>> = {
  name: true,
  apiKey: true,
  onClose: true,
  runtimeDir: true,
  stopTimeoutMs: true,
  healthCheckTimeoutMs: true,
  defaults: true,
  timeouts: true,
  retry: true,
};
