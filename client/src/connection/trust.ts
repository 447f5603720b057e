import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { invalidOption } from "../invalid-option.ts";
import { onlyKnown } from "../option-rules.ts";
import type { Names } from "../option-rules.ts";
import type { TlsOptions } from "./dial.ts";

const tlsOptions: Names<TlsOptions> = {
  ca: true,
  cert: true,
  key: true,
  passphrase: true,
  serverName: true,
  rejectUnauthorized: true,
};

/** Refuses what holds no certificate or key: Node passes over it, and then only says that nothing can be verified. */
export function checkTls(options: TlsOptions = {}): void {
  onlyKnown(options, tlsOptions, "tls.");
  const { ca, cert, key, passphrase } = options;
  for (const each of ca === undefined ? [] : [ca].flat()) {
    const pem = text("tls.ca", each);
    check("tls.ca", certificate, () => {
      if (!pem.includes("-----BEGIN ")) throw new Error("no start line");
      return new X509Certificate(pem);
    });
  }
  if (cert !== undefined) check("tls.cert", certificate, () => createSecureContext({ cert: text("tls.cert", cert) }));
  if (key !== undefined) {
    const secret = { key: text("tls.key", key), ...(passphrase !== undefined && { passphrase }) };
    check("tls.key", privateKey, () => createSecureContext(secret));
    if (cert === undefined) throw invalidOption("tls.cert", "must be given with tls.key");
    const pair = { ...secret, cert: text("tls.cert", cert) };
    check("tls.key", "the key of tls.cert", () => createSecureContext(pair));
  } else if (cert !== undefined) {
    throw invalidOption("tls.key", "must be given with tls.cert");
  }
}

/**
 * OpenSSL's words in the middle of its own bookkeeping, "40DD…:error:0A00045C:SSL routines:…:what happened:file:…"; and
 * what Node says without its advice on how to start Node.
 */
export function plainWords(message: string): string {
  const plain = /\berror:[\dA-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(message)?.[1] ?? message;
  return plain.replace(/; if the root CA is installed locally, .*$/, "").trim();
}

/** What to do about a connection that ended with one of `codes`, those of Node and OpenSSL. Empty: unknown. */
export function trustRemedy(codes: readonly string[]): string {
  return remedies.find(([pattern]) => codes.some((code) => pattern.test(code)))?.[1] ?? "";
}

const remedies: readonly [RegExp, string][] = [
  [/ALTNAME|HOSTNAME_MISMATCH/, "connect by a name that the certificate has, or give that name as tls.serverName"],
  [
    /^ERR_SSL_.*ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA)/,
    "the server wants a certificate of this client that it trusts: give it as tls.cert, with its key as tls.key",
  ],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)/, "renew the server's certificate, or set the clock"],
  [
    /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|CERT_UNTRUSTED)/,
    "give the certificate of the authority that signed the server's as tls.ca",
  ],
];

const certificate = "the PEM of a certificate, not the path of one";
const privateKey = "the PEM of a private key, not the path of one, with tls.passphrase where it has one";

function check(option: string, what: string, read: () => unknown): void {
  try {
    read();
  } catch (cause) {
    const why = cause instanceof Error ? plainWords(cause.message) : String(cause);
    throw invalidOption(option, `must be ${what}: ${why}`, cause);
  }
}

function text(option: string, value: string | Uint8Array): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  throw invalidOption(option, `must be PEM, as a string or bytes, got ${typeof value}`);
}
