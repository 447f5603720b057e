import { createHash } from "node:crypto";
import { toBinary, type DescMessage, type Message } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { GitPullStrategy, GitPushForce, type GitCredentials, type GitPath, type GitSignature } from "@yonder/proto";
import type { Person } from "../git/commit.ts";
import type { Credentials } from "../git/credentials.ts";
import type { RemoteCall, RequestIdentity } from "../git/git.ts";
import type { CommitsStart } from "../git/list-commits.ts";
import type { PullStrategy } from "../git/pull.ts";
import type { PushForce } from "../git/push.ts";
import type { Limits } from "../util/limits.ts";
import { durationField, invalidField, missingField, pathField, sizeField, textField, tokenField } from "./fields.ts";

const HERE = Buffer.from(".");
const MOST_CREDENTIALS = 32;
const MOST_PATHS = 100_000;

/** The path of a request; the workspace's directory where none is set. */
export function directoryField({ path, rawPath }: { path: string; rawPath: Uint8Array }): Buffer {
  return pathField("path", path, rawPath) ?? HERE;
}

export function pathListField(field: string, list: readonly GitPath[]): Buffer[] {
  if (list.length > MOST_PATHS) throw invalidField(field, `has ${list.length} paths; at most ${MOST_PATHS} are taken`);
  return list.map(({ path, rawPath }, index) => {
    const name = `${field}[${index}]`;
    const value = pathField(`${name}.path`, path, rawPath);
    if (value === undefined) throw missingField(`${name}.path`);
    return value;
  });
}

/** Text, or undefined where there is none. */
export function optionalText(field: string, text: string): string | undefined {
  return textField(field, text) || undefined;
}

export function refFields({ baseRef, commit }: { baseRef: string; commit: string }): {
  baseRef: string | undefined;
  commit: string | undefined;
} {
  if (baseRef !== "" && commit !== "") throw invalidField("commit", "and base_ref cannot both be set");
  return { baseRef: optionalText("base_ref", baseRef), commit: optionalText("commit", commit) };
}

export function pageField(
  { pageSize, pageToken }: { pageSize: number; pageToken: string },
  usual: number,
  most: number,
): { size: number; token: string } {
  const size = sizeField("page_size", pageSize, { min: 0, max: Number.MAX_SAFE_INTEGER }) || usual;
  return { size: Math.min(size, most), token: pageToken };
}

/** The token of a list of commits holds where it began, so that it does not move as branches do. */
export function commitsToken(start: CommitsStart): string {
  return Buffer.from(JSON.stringify([start.skip, ...start.tips])).toString("base64url");
}

export function commitsStart(token: string): CommitsStart | undefined {
  if (token === "") return undefined;
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (!/^\[\d{1,15}(?:,"\^?(?:[0-9a-f]{40}|[0-9a-f]{64})"){1,64}\]$/.test(text)) {
    throw invalidField("page_token", "is not one that this server gave");
  }
  const [skip, ...tips] = JSON.parse(text) as [number, ...string[]];
  return { skip, tips };
}

type Acting = { requestId: string; expectedInstanceId: string; user: string; credentials?: GitCredentials[] };

/** What makes two requests the same: all but who answers, and the secrets, which may be newer. */
export function requestIdentity(schema: DescMessage, request: Message & Acting): RequestIdentity {
  const { credentials } = request;
  const same = {
    ...request,
    requestId: "",
    expectedInstanceId: "",
    // Each user's ids are their own, however the user is spelled.
    user: "",
    ...(credentials === undefined ? {} : { credentials: [] }),
  };
  const fingerprint = createHash("sha256").update(schema.typeName).update(toBinary(schema, same)).digest("base64url");
  return { id: tokenField("request_id", request.requestId), fingerprint };
}

export function timeoutField(timeout: Duration | undefined, limits: Limits): number | undefined {
  return durationField("timeout", timeout, { minMs: 1, maxMs: limits.maxTimeoutMs }) || undefined;
}

export function remoteCall(
  request: { runHooks: boolean; timeout?: Duration | undefined; credentials: readonly GitCredentials[] },
  limits: Limits,
): RemoteCall {
  const { runHooks, timeout, credentials } = request;
  if (credentials.length > MOST_CREDENTIALS) {
    throw invalidField("credentials", `are ${credentials.length}; at most ${MOST_CREDENTIALS} are taken`);
  }
  return { runHooks, timeoutMs: timeoutField(timeout, limits), credentials: credentials.map(credentialsField) };
}

/** The values are secrets: no message tells them. */
function credentialsField({ host, secret }: GitCredentials): Credentials {
  textField("credentials.host", host);
  switch (secret.case) {
    case "password": {
      const { username, password } = secret.value;
      if (password === "") throw missingField("credentials.password.password");
      return {
        host,
        secret: {
          kind: "password",
          username: oneLine("credentials.password.username", username),
          password: oneLine("credentials.password.password", password),
        },
      };
    }
    case "sshKey": {
      const { privateKey, passphrase, knownHosts, acceptUnknownHost } = secret.value;
      if (privateKey.length === 0) throw missingField("credentials.ssh_key.private_key");
      oneLine("credentials.ssh_key.passphrase", passphrase);
      textField("credentials.ssh_key.known_hosts", knownHosts);
      return { host, secret: { kind: "key", privateKey, passphrase, knownHosts, acceptUnknownHost } };
    }
    default:
      throw missingField("credentials.secret");
  }
}

function oneLine(field: string, text: string): string {
  if (/[\0\r\n]/.test(text)) throw invalidField(field, "holds a NUL byte or the end of a line");
  return text;
}

export function personField(field: string, signature: GitSignature | undefined): Person | undefined {
  if (signature === undefined) return undefined;
  const { name, email, time } = signature;
  if (name.trim() === "") throw missingField(`${field}.name`);
  if (email.trim() === "") throw missingField(`${field}.email`);
  for (const [part, text] of Object.entries({ name, email })) {
    if (/[\0\r\n<>]/.test(text))
      throw invalidField(`${field}.${part}`, 'holds "<", ">", a NUL byte or the end of a line');
  }
  return { name, email, timeSeconds: time === undefined ? undefined : Number(time.seconds) };
}

export function pullStrategy(strategy: GitPullStrategy): PullStrategy {
  switch (strategy) {
    case GitPullStrategy.UNSPECIFIED:
    case GitPullStrategy.FAST_FORWARD_ONLY:
      return "FAST_FORWARD_ONLY";
    case GitPullStrategy.MERGE:
      return "MERGE";
    case GitPullStrategy.REBASE:
      return "REBASE";
    default:
      throw invalidField("strategy", "is none that this server knows");
  }
}

export function pushForce(force: GitPushForce): PushForce {
  switch (force) {
    case GitPushForce.UNSPECIFIED:
      return undefined;
    case GitPushForce.WITH_LEASE:
      return "WITH_LEASE";
    case GitPushForce.ALWAYS:
      return "ALWAYS";
    default:
      throw invalidField("force", "is none that this server knows");
  }
}
