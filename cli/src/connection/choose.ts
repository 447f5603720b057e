import { readFileSync } from "node:fs";
import type { RemoteWorkspaceOptions } from "@yonder/client";
import { Failure, UsageError } from "../frame/failure.ts";
import type { ConnectionOptions } from "../frame/verb.ts";
import { configPath, pathIn, readConfigFile, refuseIfOpen } from "./config-file.ts";
import type { ConfigFile, Profile } from "./config-file.ts";

/** Which workspace is meant: what it takes to connect, and who said so. */
export interface Choice {
  readonly options: RemoteWorkspaceOptions & { readonly apiKey: string | undefined };
  /** For messages: "--host", "YONDER_HOST", 'profile "dev"'. */
  readonly saidBy: string;
  /** Where the key is from. Undefined: there is none. */
  readonly keyFrom: string | undefined;
}

/**
 * Which workspace is meant: flags go before variables, variables before the config file. A key of a profile goes to no
 * other host, and one of the environment to no profile that was named by a flag and has a key of its own.
 */
export function choose(given: ConnectionOptions): Choice {
  const where = chooseHost(given);
  const key = chooseKey(where);
  const { profile, config } = where;
  const fromProfile = (name: "ca" | "cert" | "certKey" | "passphraseFile") =>
    config && profile?.[name] !== undefined
      ? readText(pathIn(config.path, profile[name]), `"${name}" of ${where.saidBy}`)
      : undefined;
  const tls = {
    ca: given.ca === undefined ? fromProfile("ca") : readText(given.ca, "--ca"),
    cert: given.cert === undefined ? fromProfile("cert") : readText(given.cert, "--cert"),
    key: given.certKey === undefined ? fromProfile("certKey") : readText(given.certKey, "--cert-key"),
    passphrase: fromProfile("passphraseFile")?.replace(/\r?\n$/, ""),
    serverName: given.serverName ?? profile?.serverName,
  };
  // Checked by the client, which knows what there is.
  const { protocol, httpVersion } = { ...profile, ...given } as Pick<
    RemoteWorkspaceOptions,
    "protocol" | "httpVersion"
  >;
  return {
    options: {
      host: where.host,
      apiKey: key?.key,
      workingDir: profile?.workingDir,
      workspaceId: profile?.workspaceId,
      protocol,
      httpVersion,
      ...(Object.values(tls).some((each) => each !== undefined) && { tls }),
    },
    saidBy: where.saidBy,
    keyFrom: key?.from,
  };
}

interface Where {
  readonly host: string;
  readonly saidBy: string;
  readonly profile?: Profile;
  readonly config?: ConfigFile;
  /** Whether a flag named the profile. */
  readonly isNamed: boolean;
}

function chooseHost({ host, profile }: ConnectionOptions): Where {
  if (host !== undefined && profile !== undefined) {
    throw new UsageError("--host and --profile both say which workspace is meant: give one of them");
  }
  const { YONDER_HOST, YONDER_PROFILE } = process.env;
  if (host !== undefined) return { host, saidBy: "--host", isNamed: true };
  if (profile !== undefined) return { ...named(profile), isNamed: true };
  if (YONDER_HOST) return { host: YONDER_HOST, saidBy: "YONDER_HOST", isNamed: false };
  if (YONDER_PROFILE) return { ...named(YONDER_PROFILE), isNamed: false };
  const byDefault = readConfigFile()?.default;
  if (byDefault !== undefined) return { ...named(byDefault), isNamed: false };
  throw new UsageError(
    `no workspace is named: give --host URL or --profile NAME, set YONDER_HOST, or make a default in ${configPath()}`,
  );
}

function named(name: string): Omit<Where, "isNamed"> {
  const config = readConfigFile();
  const profile = config?.profiles.get(name);
  if (config && profile) return { host: profile.host, saidBy: `profile "${name}"`, profile, config };
  const known = [...(config?.profiles.keys() ?? [])];
  throw new Failure(
    `there is no profile "${name}" in ${configPath()}${known.length > 0 ? `; it has ${known.join(", ")}` : ", which is not there"}`,
  );
}

interface Key {
  readonly key: string;
  readonly from: string;
}

function chooseKey({ profile, config, isNamed, saidBy }: Where): Key | undefined {
  const ofProfile = () => {
    if (profile?.apiKey !== undefined) return { key: profile.apiKey, from: saidBy };
    if (profile?.apiKeyFile === undefined || !config) return undefined;
    return keyIn(pathIn(config.path, profile.apiKeyFile), `"apiKeyFile" of ${saidBy}`);
  };
  const ofEnvironment = () => {
    const { YONDER_API_KEY_FILE: file, YONDER_API_KEY: key } = process.env;
    if (file) return keyIn(file, "YONDER_API_KEY_FILE");
    return key ? { key, from: "YONDER_API_KEY" } : undefined;
  };
  return isNamed ? (ofProfile() ?? ofEnvironment()) : (ofEnvironment() ?? ofProfile());
}

/** The first line of a file that others must not read. */
function keyIn(path: string, from: string): Key {
  const [key = ""] = readText(path, from).split(/\r?\n/, 1);
  if (key.trim() === "") throw new Failure(`${from} names ${path}, whose first line is empty: put the key there`);
  refuseIfOpen(path, "holds a key");
  return { key: key.trim(), from };
}

function readText(path: string, saidBy: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(`${saidBy} names a file that cannot be read: ${(error as Error).message}`);
  }
}
