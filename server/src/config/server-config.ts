import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ListenTarget } from "../http/listener.ts";
import type { TlsFiles } from "../http/tls-files.ts";
import type { Limits } from "../util/limits.ts";
import { ConfigError } from "./config-error.ts";
import { limitSettings } from "./limit-settings.ts";
import { fillSettings } from "./read-settings.ts";
import type { GivenSettings } from "./read-settings.ts";
import type { SettingValues } from "./settings.ts";
import { defaultStateDirectory } from "./state-directory.ts";

/** What the server goes by: every setting, checked, and put together where several say one thing. */
export interface ServerConfig extends SettingValues {
  readonly target: ListenTarget;
  /** The path of a UNIX socket beside the address that is listened on. */
  readonly socketBeside: string | undefined;
  readonly tls: TlsFiles | undefined;
  readonly limits: Limits;
}

/** Checks the settings against each other and the machine. Throws a ConfigError that says what to do. */
export async function resolveConfig(given: GivenSettings): Promise<ServerConfig> {
  const values = fillSettings(given);
  const target = targetOf(given, values);
  const workingDirectory = resolve(values.workingDirectory);
  await mustBeDirectory(workingDirectory, "working");
  const confine = await confinementOf(values);
  return {
    ...values,
    workingDirectory,
    confine,
    stateDirectory: await stateDirectoryOf(values, target),
    target,
    socketBeside: "host" in target && values.socket !== undefined ? resolve(values.socket) : undefined,
    tls: tlsOf(values),
    limits: limitsOf(values),
  };
}

function targetOf(given: GivenSettings, { socket, host, port }: SettingValues): ListenTarget {
  const isAtAddress = socket === undefined || given.host !== undefined || given.port !== undefined;
  return isAtAddress ? { host, port: port ?? 0 } : { socket: resolve(socket) };
}

async function stateDirectoryOf(
  { stateDirectory, stopWithStdin }: SettingValues,
  target: ListenTarget,
): Promise<string | undefined> {
  if (stateDirectory !== undefined) return resolve(stateDirectory);
  // One that ends with whoever started it has no successor at its address.
  return stopWithStdin ? undefined : await defaultStateDirectory(target);
}

function tlsOf({ tlsCert, tlsKey, clientCa }: SettingValues): TlsFiles | undefined {
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: tlsCert, key: tlsKey, clientCa };
  if (tlsCert !== undefined || tlsKey !== undefined) {
    throw new ConfigError("TLS takes both --tls-cert and --tls-key");
  }
  if (clientCa !== undefined) throw new ConfigError("--client-ca asks for TLS: give --tls-cert and --tls-key, too");
  return undefined;
}

async function confinementOf({ confine }: SettingValues): Promise<string | undefined> {
  if (confine === undefined) return undefined;
  if (process.platform !== "linux") throw new ConfigError("--confine needs Linux; leave it out");
  const directory = resolve(confine);
  await mustBeDirectory(directory, "confining");
  return directory;
}

async function mustBeDirectory(path: string, which: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    const why = found.code === "ENOENT" ? "does not exist" : `cannot be used: ${found.message}`;
    throw new ConfigError(`The ${which} directory ${path} ${why}`);
  }
  if (!found.isDirectory()) throw new ConfigError(`The ${which} directory ${path} is no directory`);
}

function limitsOf(values: SettingValues): Limits {
  const keys = Object.keys(limitSettings) as (keyof Limits)[];
  return Object.fromEntries(keys.map((key) => [key, values[key]])) as unknown as Limits;
}
