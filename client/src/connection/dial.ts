import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Address } from "./address.ts";

/** How a server proves who it is, and the client to it. Values are PEM, as strings or bytes. */
export interface TlsOptions {
  /** The certificates to trust. Default: those that Node trusts. */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** The client's certificate, for servers with `--client-ca`. */
  cert?: string | Uint8Array | undefined;
  /** The key of `cert`. */
  key?: string | Uint8Array | undefined;
  /** The passphrase of `key`. */
  passphrase?: string | undefined;
  /** The name to ask for and to check the certificate against. Default: the host's. */
  serverName?: string | undefined;
  /** Whether to refuse a server whose certificate is not trusted. Default true; false is for experiments only. */
  rejectUnauthorized?: boolean | undefined;
}

export interface DialOptions {
  readonly address: Address;
  readonly tls: TlsOptions | undefined;
  readonly connectMs: number;
}

/** Opens a socket. It is destroyed with an error if it is not connected, and secured, within `connectMs`. */
export function dial({ address, tls, connectMs }: DialOptions, alpn: "h2" | "http/1.1"): Socket {
  const shortcut = address.shortcut?.open();
  if (shortcut !== undefined) return shortcut;
  const socket = address.secure
    ? connectTls({ ...secureOptions(address, tls), ...address.target, ALPNProtocols: [alpn] })
    : connectTcp(address.target);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  const timer = setTimeout(() => {
    const error = new Error(`no connection to ${address.host} within ${connectMs} ms`);
    socket.destroy(Object.assign(error, { code: "ETIMEDOUT", syscall: "connect" }));
  }, connectMs);
  socket.once(address.secure ? "secureConnect" : "connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
  return socket;
}

function secureOptions(address: Address, tls: TlsOptions = {}) {
  const name = tls.serverName ?? ("host" in address.target ? address.target.host : undefined);
  return {
    ...(tls.ca !== undefined && { ca: Array.isArray(tls.ca) ? tls.ca.map(pem) : pem(tls.ca as string | Uint8Array) }),
    ...(tls.cert !== undefined && { cert: pem(tls.cert) }),
    ...(tls.key !== undefined && { key: pem(tls.key) }),
    ...(tls.passphrase !== undefined && { passphrase: tls.passphrase }),
    // No name is sent for an address, which TLS does not allow.
    ...(name !== undefined && !isAddress(name) && { servername: name }),
    rejectUnauthorized: tls.rejectUnauthorized ?? true,
  };
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value);
}

function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(":");
}
