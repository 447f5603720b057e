import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { RetryOptions } from "../connection/retry.ts";
import type { TimeoutOptions } from "../connection/settings.ts";
import { NotFound, PermissionDenied } from "../errors.ts";
import { invalidOption } from "../invalid-option.ts";
import { bytes, duration, list, portNumber, shown, texts, variableNames } from "../option-rules.ts";
import type { CommandDefaults } from "../exec/options.ts";

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

/** A file or directory of this machine that is to be seen inside. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface Settings {
  readonly workingDir: string;
  readonly mountDir: string | undefined;
  readonly binds: readonly Bind[];
  readonly overlay: string | undefined;
  readonly cacheDir: string;
  readonly runtimeDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly program: string;
  readonly buildTimeoutMs: number;
  readonly healthCheckTimeoutMs: number;
  readonly stopTimeoutMs: number;
}

/** Checks what makes no sense before anything is started. */
export async function readOptions(options: ApptainerWorkspaceOptions): Promise<Settings> {
  const { hostPort, workingDir = "/workspace", name, apiKey, forwardEnv = [], environment = {} } = options;
  if ((options.serverImage === undefined) === (options.sifFile === undefined)) {
    throw invalidOption("serverImage", "or sifFile must be given, and not both");
  }
  if (!isAbsolute(workingDir)) throw invalidOption("workingDir", `must be an absolute path, got ${shown(workingDir)}`);
  if (name !== undefined && !/^[\w-]{1,64}$/.test(name)) {
    throw invalidOption("name", `must be 1 to 64 letters, digits, "-" or "_", got ${shown(name)}`);
  }
  if (apiKey !== undefined && apiKey.length < 16) throw invalidOption("apiKey", "must have at least 16 characters");
  if (hostPort !== undefined) portNumber("hostPort", hostPort);
  if (hostPort !== undefined && options.network === "none") {
    throw invalidOption("hostPort", 'cannot be had with network "none"; leave it out, and a socket is used');
  }
  for (const option of ["cpus", "pids"] as const) {
    const value = options[option];
    if (value !== undefined && !(value > 0)) throw invalidOption(option, `must be more than 0, got ${shown(value)}`);
  }
  if (options.memory !== undefined) bytes("memory", options.memory);
  variableNames("environment", Object.keys(environment));
  texts("environment", environment);
  list("forwardEnv", forwardEnv);
  variableNames("forwardEnv", forwardEnv);
  const forwarded = forwardEnv.flatMap((each) => (process.env[each] === undefined ? [] : [[each, process.env[each]]]));
  return {
    workingDir,
    mountDir: options.mountDir === undefined ? undefined : await directory("mountDir", resolve(options.mountDir)),
    binds: await Promise.all((options.extraBindMounts ?? []).map(readBind)),
    overlay: options.overlay === undefined ? undefined : await existing("overlay", resolve(options.overlay)),
    cacheDir: resolve(
      options.cacheDir ?? join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "yonder/apptainer"),
    ),
    runtimeDir: runtimeDirectory(options.runtimeDir),
    environment: { ...(Object.fromEntries(forwarded) as Record<string, string>), ...environment },
    program: options.program ?? "apptainer",
    buildTimeoutMs: duration("buildTimeoutMs", options.buildTimeoutMs ?? 30 * 60_000),
    healthCheckTimeoutMs: duration("healthCheckTimeoutMs", options.healthCheckTimeoutMs ?? 120_000),
    stopTimeoutMs: duration("stopTimeoutMs", options.stopTimeoutMs ?? 5_000),
  };
}

export function runtimeDirectory(given: string | undefined): string {
  return resolve(given ?? join(tmpdir(), `yonder-${process.getuid?.() ?? 0}`));
}

async function readBind(text: string): Promise<Bind> {
  const [source = "", target = source, mode = "rw", ...more] = text.split(":");
  if (source === "" || !isAbsolute(target) || !/^r[ow]$/.test(mode) || more.length > 0) {
    throw invalidOption(
      "extraBindMounts",
      `must be "source", "source:target" or "source:target:ro", got ${shown(text)}`,
    );
  }
  return { source: await existing("extraBindMounts", resolve(source)), target, readOnly: mode === "ro" };
}

async function directory(option: string, path: string): Promise<string> {
  await existing(option, path);
  if ((await stat(path)).isDirectory()) return path;
  throw invalidOption(option, `must be a directory, ${path} is none`);
}

/** The path, once it is known that this user can read what is there. */
export async function existing(option: string, path: string): Promise<string> {
  try {
    await access(path, constants.R_OK);
    return path;
  } catch (cause) {
    const denied = (cause as NodeJS.ErrnoException).code === "EACCES";
    const message = `${option}: ${denied ? "this user may not read" : "there is no"} ${path}`;
    if (denied) throw new PermissionDenied(message, { reason: "ACCESS_DENIED", subject: path, cause });
    throw new NotFound(message, { reason: "FILE_NOT_FOUND", subject: path, cause });
  }
}
