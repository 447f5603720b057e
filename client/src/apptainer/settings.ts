import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { NotFound, PermissionDenied } from "../errors.ts";
import { checkDefaults } from "../exec/known-options.ts";
import { invalidOption } from "../invalid-option.ts";
import { bytes, choice, duration, list, onlyKnown, portNumber, shown, texts, variableNames } from "../option-rules.ts";
import { startOptions } from "./options.ts";
import type { ApptainerWorkspaceOptions } from "./options.ts";

/** A file or directory of this machine that is to be seen inside. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The options, checked, with what stands for those that are not given. */
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
  onlyKnown(options, startOptions);
  checkDefaults(options.defaults);
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
  if (options.pull !== undefined) choice("pull", options.pull, ["missing", "always", "never"]);
  if (options.onClose !== undefined) choice("onClose", options.onClose, ["remove", "keep", "pause"]);
  if (options.network !== undefined) choice("network", options.network, ["host", "none"]);
  for (const option of ["cpus", "pids"] as const) {
    const value = options[option];
    if (value !== undefined && !(value > 0)) throw invalidOption(option, `must be more than 0, got ${shown(value)}`);
  }
  if (options.memory !== undefined) bytes("memory", options.memory);
  for (const option of ["extraBindMounts", "serverFlags", "disableMountLocations", "forwardEnv"] as const) {
    if (options[option] !== undefined) list(option, options[option]);
  }
  variableNames("environment", Object.keys(environment));
  texts("environment", environment);
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
