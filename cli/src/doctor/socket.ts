import { isIP, connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { Subject } from "./finding.ts";

/** A socket to the server as the client opens one, but for one thing: whom it does not trust it talks to all the same. */
export function openSocket(subject: Subject, alpn: readonly string[]): Socket {
  const { secure, target } = subject.address;
  return secure ? openTls(subject, alpn) : connectTcp(target);
}

export function openTls({ address: { target }, choice: { options } }: Subject, alpn: readonly string[]): TLSSocket {
  const { ca, cert, key, passphrase } = options.tls ?? {};
  const name = serverName(options.tls?.serverName, target);
  return connectTls({
    ...target,
    ...(ca !== undefined && { ca: ca as string }),
    ...(cert !== undefined && { cert: cert as string }),
    ...(key !== undefined && { key: key as string }),
    ...(passphrase !== undefined && { passphrase }),
    // No name is sent for an address, which TLS does not allow.
    ...(name !== undefined && isIP(name) === 0 && { servername: name }),
    ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    rejectUnauthorized: false,
  });
}

/** The name that the certificate must have. */
export function serverName(given: string | undefined, target: Subject["address"]["target"]): string | undefined {
  return given ?? ("host" in target ? target.host : undefined);
}
