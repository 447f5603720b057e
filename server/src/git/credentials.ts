import { InvalidRequest } from "../util/errors.ts";
import { originOf, type RemoteUrl } from "./remote-url.ts";

/** A secret for one host, as a call brings it. */
export interface Credentials {
  /** "github.com", "git.example.com:8443", "http://gitea:3000"; empty: the host of the call's own URL. */
  readonly host: string;
  readonly secret: PasswordSecret | KeySecret;
}

export interface PasswordSecret {
  readonly kind: "password";
  readonly username: string;
  readonly password: string;
}

export interface KeySecret {
  readonly kind: "key";
  readonly privateKey: Uint8Array;
  readonly passphrase: string;
  readonly knownHosts: string;
  readonly acceptUnknownHost: boolean;
}

/** A secret and the one place that it is for: "https://github.com", or for a key the host's name. */
export interface BoundPassword extends PasswordSecret {
  readonly origin: string;
}

export interface BoundKey extends KeySecret {
  readonly hostname: string;
}

export interface BoundCredentials {
  readonly passwords: readonly BoundPassword[];
  readonly keys: readonly BoundKey[];
}

/** What hosts take as a name that only look at the token. */
const TOKEN_USERNAME = "x-access-token";

/** Binds each secret to its host; `remote` is the call's own URL. */
export function bindCredentials(credentials: readonly Credentials[], remote: RemoteUrl | undefined): BoundCredentials {
  const passwords: BoundPassword[] = [];
  const keys: BoundKey[] = [];
  for (const { host, secret } of credentials) {
    if (secret.kind === "password") {
      const origin = host === "" ? ownOrigin(remote) : passwordOrigin(host);
      const username = secret.username || remote?.username || TOKEN_USERNAME;
      passwords.push({ ...secret, username, origin });
    } else {
      keys.push({ ...secret, hostname: host === "" ? ownHostname(remote) : keyHostname(host) });
    }
  }
  return { passwords, keys };
}

/** What must never be told: of a user name nobody knows whether it is a token. */
export function secretsOf(credentials: readonly Credentials[]): string[] {
  return credentials.flatMap(({ secret }) =>
    secret.kind === "password"
      ? [secret.password, ...(looksSecret(secret.username) ? [secret.username] : [])]
      : [secret.passphrase],
  );
}

function looksSecret(username: string): boolean {
  return username.length >= 20;
}

function ownOrigin(remote: RemoteUrl | undefined): string {
  const origin = remote?.origin;
  if (origin?.startsWith("https://") === true) return origin;
  if (origin?.startsWith("http://") === true) {
    throw invalid(`must say "${origin}": a password goes over http only where that is asked for`);
  }
  throw invalid("must be set: the remote's URL is not one of https");
}

function passwordOrigin(host: string): string {
  const isHttp = /^http:\/\//i.test(host);
  const url = parseHost(/^https?:\/\//i.test(host) ? host : `https://${host}`);
  if (url === undefined || !["https:", "http:"].includes(url.protocol)) throw invalid("is no host");
  return originOf(isHttp ? url : new URL(url));
}

function ownHostname(remote: RemoteUrl | undefined): string {
  const origin = remote?.origin;
  if (origin?.startsWith("ssh://") !== true) throw invalid("must be set: the remote's URL is not one of ssh");
  return keyHostname(origin);
}

function keyHostname(host: string): string {
  const url = parseHost(`https://${host.replace(/^ssh:\/\//i, "")}`);
  const hostname = url?.hostname.replace(/^\[|\]$/g, "") ?? "";
  // It becomes a pattern of ssh's configuration.
  if (!/^[A-Za-z0-9._:-]+$/.test(hostname)) throw invalid("is no host");
  return hostname;
}

/** A host and perhaps a port, and nothing else. */
function parseHost(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isBare =
    url.username === "" && url.password === "" && url.pathname === "/" && url.search === "" && url.hash === "";
  return isBare ? url : undefined;
}

function invalid(message: string): InvalidRequest {
  return new InvalidRequest("INVALID_FIELD", `credentials.host ${message}`, { subject: "credentials.host" });
}
