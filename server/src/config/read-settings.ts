import { ConfigError } from "./config-error.ts";
import { nearest } from "./nearest.ts";
import { keyVariables, settings, variableOf, variablePrefix } from "./settings.ts";
import type { SettingKey, SettingValues } from "./settings.ts";
import type { Setting } from "./setting.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Texts by setting, as the command line has them. */
export type FlagTexts = Partial<Record<SettingKey, readonly string[]>>;

/** What was set, and what is not: a value that nobody set is not there. */
export type GivenSettings = { -readonly [K in SettingKey]?: SettingValues[K] | undefined };

/** Reads the settings from flags, then from variables. Throws a ConfigError that names each one that is wrong. */
export function readSettings(flags: FlagTexts, environment: Environment): GivenSettings {
  const given: Record<string, unknown> = {};
  const faults = unknownVariables(environment);
  for (const [key, setting] of entries()) {
    const fromFlag = flags[key];
    const variable = variableOf(setting);
    const fromVariable = environment[variable];
    // An empty variable is how a compose file leaves one out.
    const isSet = fromFlag !== undefined || (fromVariable !== undefined && fromVariable !== "");
    if (!isSet || (fromFlag === undefined && isServiceLink(variable, fromVariable))) continue;
    const texts = fromFlag ?? (setting.isList ? splitList(fromVariable) : [fromVariable ?? ""]);
    try {
      given[key] = setting.parse(texts);
    } catch (error) {
      const name = fromFlag === undefined ? variable : `--${setting.flag}`;
      faults.push(`${name} cannot be ${JSON.stringify(texts.join(","))}: ${(error as Error).message}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults.join("\n"));
  return given;
}

/** The keys that the environment has, as they stand there. */
export function readKeys(environment: Environment): string[] {
  return keyVariables.flatMap((variable) => splitList(environment[variable]));
}

/** Every value, with the default where none is given. Throws a ConfigError for one that is out of its range. */
export function fillSettings(given: GivenSettings): SettingValues {
  const values: Record<string, unknown> = {};
  for (const [key, setting] of entries()) {
    const value = given[key] ?? setting.defaultValue;
    try {
      if (given[key] !== undefined) setting.check(value);
    } catch (error) {
      throw new ConfigError(`${key} cannot be ${JSON.stringify(value)}: ${(error as Error).message}`, { cause: error });
    }
    values[key] = value;
  }
  return values as SettingValues;
}

export function entries(): [SettingKey, Setting<unknown>][] {
  return Object.entries(settings) as unknown as [SettingKey, Setting<unknown>][];
}

function unknownVariables(environment: Environment): string[] {
  const known = [...entries().map(([, setting]) => variableOf(setting)), ...keyVariables];
  return Object.entries(environment)
    .filter(([name]) => name.startsWith(variablePrefix) && !known.includes(name))
    .filter(([name, value]) => !isServiceLink(name, value))
    .map(([name]) => {
      const suggestion = nearest(name, known);
      return `There is no variable ${name}${suggestion === undefined ? "" : `; is ${suggestion} meant?`}`;
    });
}

/**
 * Kubernetes puts the addresses of services into every container: for one that is called "yonder-server" they look like
 * ours, YONDER_SERVER_PORT=tcp://10.0.0.1:8000 among them.
 */
function isServiceLink(name: string, value: string | undefined): boolean {
  const rest = name.slice(variablePrefix.length);
  if (rest === "PORT") return /^(tcp|udp|sctp):\/\//.test(value ?? "");
  return /^(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/.test(rest);
}

function splitList(value: string | undefined): string[] {
  return (value ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
