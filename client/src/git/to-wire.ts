import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate, type Duration } from "@bufbuild/protobuf/wkt";
import type { GitCredentialsSchema, GitPathSchema, GitSignatureSchema } from "@yonder/proto";
import { limitedMs } from "../exec/to-wire.ts";
import { toWirePath, type PathLike } from "../files/wire-path.ts";
import type { GitCredentials, GitPerson, GitRemoteOptions } from "./git-options.ts";

/** What the remote verbs have in common, as the contract takes it. */
export function remoteFields({ token, username, credentials = [], hooks = false, timeoutMs }: GitRemoteOptions): {
  credentials: MessageInitShape<typeof GitCredentialsSchema>[];
  runHooks: boolean;
  timeout?: Duration;
} {
  const own: GitCredentials[] = token === undefined ? [] : [{ token, username }];
  return { credentials: [...own, ...credentials].map(toCredentials), ...verbFields({ hooks, timeoutMs }) };
}

export function verbFields({
  hooks = false,
  timeoutMs,
}: {
  hooks?: boolean | undefined;
  timeoutMs?: number | undefined;
}): {
  runHooks: boolean;
  timeout?: Duration;
} {
  const timeout = limitedMs("timeoutMs", timeoutMs);
  return { runHooks: hooks, ...(timeout && { timeout }) };
}

function toCredentials(credentials: GitCredentials): MessageInitShape<typeof GitCredentialsSchema> {
  const host = credentials.host ?? "";
  if ("token" in credentials) {
    const { username = "", token } = credentials;
    return { host, secret: { case: "password", value: { username, password: token } } };
  }
  const { privateKey, passphrase = "", knownHosts = "", acceptUnknownHost = false } = credentials;
  const key = typeof privateKey === "string" ? Buffer.from(privateKey) : new Uint8Array(privateKey);
  return { host, secret: { case: "sshKey", value: { privateKey: key, passphrase, knownHosts, acceptUnknownHost } } };
}

/** Paths that are relative to the repository's directory, not to the workspace's. */
export function toPathList(paths: readonly PathLike[] = []): MessageInitShape<typeof GitPathSchema>[] {
  return paths.map((path) => toWirePath(undefined, path));
}

export function toSignature(person: GitPerson | undefined): MessageInitShape<typeof GitSignatureSchema> | undefined {
  if (person === undefined) return undefined;
  const { name, email, time } = person;
  return { name, email, ...(time && { time: timestampFromDate(time) }) };
}
