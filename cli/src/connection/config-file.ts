import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Failure } from "../frame/failure.ts";

/** A workspace as the config file has it. Paths are relative to the file; "~/" is the home directory. */
export interface Profile {
  readonly host: string;
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
  /** The directory to work in. */
  readonly workingDir?: string;
  /** The workspace that is meant: another one at the address is refused. */
  readonly workspaceId?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly passphraseFile?: string;
  readonly serverName?: string;
  readonly httpVersion?: string;
  readonly protocol?: string;
}

export interface ConfigFile {
  readonly path: string;
  /** The profile that is meant where nothing says which. */
  readonly default: string | undefined;
  readonly profiles: ReadonlyMap<string, Profile>;
}

const fields = [
  "host",
  "apiKey",
  "apiKeyFile",
  "workingDir",
  "workspaceId",
  "ca",
  "cert",
  "certKey",
  "passphraseFile",
  "serverName",
  "httpVersion",
  "protocol",
] as const satisfies readonly (keyof Profile)[];

/** Where the config file is, whether or not there is one. */
export function configPath(): string {
  const { XDG_CONFIG_HOME: base } = process.env;
  // By the specification, a relative one is to be ignored.
  return join(base?.startsWith("/") ? base : join(homedir(), ".config"), "yonder", "config.json");
}

/** Reads the config file; undefined where there is none. Throws a Failure that says what is wrong in it. */
export function readConfigFile(path: string = configPath()): ConfigFile | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const config = parse(path, text);
  if ([...config.profiles.values()].some(({ apiKey }) => apiKey !== undefined)) refuseIfOpen(path, "holds a key");
  return config;
}

/** Throws a Failure where others than the owner may read the file. */
export function refuseIfOpen(path: string, why: string): void {
  if (process.platform === "win32" || (statSync(path).mode & 0o077) === 0) return;
  throw new Failure(
    `${path} ${why} and others can read it: run \`chmod 600 ${path}\`, and make a new key if they may have`,
  );
}

/** A path of the config file. */
export function pathIn(config: string, path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : resolve(dirname(config), path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new Failure(`cannot read the config file: ${message}`);
  }
}

function parse(path: string, text: string): ConfigFile {
  const root = object(path, "it", parseJson(path, text));
  for (const name of Object.keys(root)) {
    if (!["default", "profiles"].includes(name)) throw wrong(path, `"${name}" is neither "default" nor "profiles"`);
  }
  const profiles = Object.entries(object(path, '"profiles"', root["profiles"] ?? {}));
  const config = {
    path,
    default: optionalText(path, '"default"', root["default"]),
    profiles: new Map(profiles.map(([name, value]) => [name, toProfile(path, name, value)])),
  };
  if (config.default !== undefined && !config.profiles.has(config.default)) {
    throw wrong(
      path,
      `the default "${config.default}" is not among its profiles (${[...config.profiles.keys()].join(", ")})`,
    );
  }
  return config;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Node quotes the text, which may hold a key.
    const [where] = /at position \d+( \(line \d+ column \d+\))?/.exec(String(error)) ?? ["somewhere"];
    throw wrong(path, `it is no JSON: there is a mistake ${where}`);
  }
}

function toProfile(path: string, name: string, value: unknown): Profile {
  const profile = object(path, `profile "${name}"`, value);
  for (const field of Object.keys(profile)) {
    if (!(fields as readonly string[]).includes(field)) {
      throw wrong(path, `profile "${name}" has "${field}"; known are ${fields.join(", ")}`);
    }
    optionalText(path, `"${field}" of profile "${name}"`, profile[field]);
  }
  if (profile["host"] === undefined) throw wrong(path, `profile "${name}" has no "host"`);
  if (profile["apiKey"] !== undefined && profile["apiKeyFile"] !== undefined) {
    throw wrong(path, `profile "${name}" has both "apiKey" and "apiKeyFile"`);
  }
  return profile as unknown as Profile;
}

function object(path: string, what: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(path, `${what} must be an object`);
}

function optionalText(path: string, what: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw wrong(path, `${what} must be a text`);
}

function wrong(path: string, what: string): Failure {
  return new Failure(`the config file ${path} is wrong: ${what}`);
}
