import { readFileSync } from "node:fs";
import type { GitCredentials } from "@yonder/client";
import { refuseIfOpen } from "../connection/config-file.ts";
import { Failure, UsageError } from "../frame/failure.ts";
import { duration } from "../frame/parse.ts";
import type { OptionValues } from "../frame/verb.ts";
import { flag, value } from "../frame/verb.ts";

/** The options of the verbs that talk to another repository. */
export const remoteOptions = {
  username: value("--username <name>", "The user that the token is of; x-access-token"),
  tokenFile: value(
    "--token-file <file>",
    "A password or token: the first line of a file here (YONDER_GIT_TOKEN_FILE)",
    {
      completes: "local-path",
    },
  ),
  tokenHost: value(
    "--token-host <host>",
    "The host that the token is for, if not the URL's; http://… allows cleartext",
  ),
  sshKeyFile: value("--ssh-key-file <file>", "A private key for ssh, which stays here but for this call", {
    completes: "local-path",
  }),
  knownHosts: value("--known-hosts <file>", "The host keys to take, as ssh keeps them", { completes: "local-path" }),
  acceptUnknownHost: flag("--accept-unknown-host", "Take a host key that nobody knows, this once"),
  hooks: flag("--hooks", "Run the repository's hooks"),
  timeout: value("--timeout <duration>", "How long git may take; 10m", { parse: duration }),
  quiet: flag("-q, --quiet", "Show no progress"),
};

/** What they and the environment come to. */
export interface RemoteSettings {
  readonly username: string | undefined;
  readonly token: string | undefined;
  readonly credentials: readonly GitCredentials[];
  readonly hooks: boolean;
  readonly timeoutMs: number | undefined;
}

/** For help: where secrets come from. */
export const credentialsNote =
  "A password or token is taken from --token-file, YONDER_GIT_TOKEN_FILE or YONDER_GIT_TOKEN, or asked for on the " +
  "terminal where the remote wants one; it goes with this call to its host alone, and is kept nowhere. In a URL it would " +
  "be seen by everybody on this machine and kept by git: that is refused.";

/** Reads the secrets that a call takes along. */
export function readRemoteOptions(options: OptionValues<typeof remoteOptions>): RemoteSettings {
  const { username, tokenFile, tokenHost: host, sshKeyFile, knownHosts, acceptUnknownHost } = options;
  const token = readToken(tokenFile);
  if (sshKeyFile === undefined && (knownHosts !== undefined || acceptUnknownHost)) {
    throw new UsageError("--known-hosts and --accept-unknown-host go with --ssh-key-file");
  }
  const credentials: GitCredentials[] = [];
  if (sshKeyFile !== undefined) {
    refuseIfOpen(sshKeyFile, "holds a private key");
    const hosts = knownHosts === undefined ? undefined : read(knownHosts, "--known-hosts");
    credentials.push({ privateKey: read(sshKeyFile, "--ssh-key-file"), knownHosts: hosts, acceptUnknownHost });
  }
  const isElsewhere = token !== undefined && host !== undefined;
  if (isElsewhere) credentials.push({ host, username, token });
  return {
    username,
    token: isElsewhere ? undefined : token,
    credentials,
    hooks: options.hooks,
    timeoutMs: options.timeout,
  };
}

function readToken(flagged: string | undefined): string | undefined {
  const { YONDER_GIT_TOKEN_FILE, YONDER_GIT_TOKEN } = process.env;
  const file = flagged ?? (YONDER_GIT_TOKEN_FILE || undefined);
  if (file === undefined) return YONDER_GIT_TOKEN || undefined;
  const saidBy = flagged === undefined ? "YONDER_GIT_TOKEN_FILE" : "--token-file";
  const [token = ""] = read(file, saidBy).split(/\r?\n/, 1);
  if (token.trim() === "") throw new Failure(`${saidBy} names ${file}, whose first line is empty: put the token there`);
  refuseIfOpen(file, "holds a token");
  return token.trim();
}

function read(path: string, saidBy: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(`${saidBy} names a file that cannot be read: ${(error as Error).message}`);
  }
}

/** Throws where a URL holds a secret, or what may be one; it is not told back. */
export function refuseSecrets(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isHttp = parsed?.protocol === "https:" || parsed?.protocol === "http:";
  if (parsed === undefined || (parsed.password === "" && !(isHttp && parsed.username !== ""))) return;
  throw new UsageError(
    "the URL holds a user or a password, which everybody on this machine can read and git would keep: take it out, give " +
      "the name as --username, and the secret in the file of --token-file or in YONDER_GIT_TOKEN",
  );
}
