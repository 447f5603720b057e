import { invalidOption } from "../invalid-option.ts";
import { shown } from "../option-rules.ts";
import type { Shortcut } from "./shortcut.ts";

/** Where a server is: what `host` means. */
export interface Address {
  /** The host as it was given, without a trailing "/". */
  readonly host: string;
  /** What requests are addressed to. */
  readonly baseUrl: string;
  readonly secure: boolean;
  /** What to open a socket to. */
  readonly target: { readonly path: string } | { readonly host: string; readonly port: number };
  /** A faster way to the same server, taken where it is open. */
  readonly shortcut?: Shortcut | undefined;
}

/** Reads `http://host:port`, `https://host:port` or `unix:///path/to/socket`. */
export function parseAddress(host: string): Address {
  // From JavaScript, a variable of the environment that is not set.
  const isText = typeof (host as unknown) === "string";
  if (isText && host.startsWith("unix:")) return unixAddress(host);
  // "localhost:8000" is a URL too: one with the scheme "localhost:".
  const url = isText && host.includes("://") && URL.canParse(host) ? new URL(host) : undefined;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw invalidOption(
      "host",
      `must be a URL as in "http://127.0.0.1:8000", "https://…" or "unix:///path", got ${shown(host)}`,
    );
  }
  if (url.username || url.password || url.search || url.hash) {
    throw invalidOption("host", "must have no user, password, query or fragment; a key goes into apiKey");
  }
  const secure = url.protocol === "https:";
  const baseUrl = url.href.replace(/\/+$/, "");
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host: baseUrl, baseUrl, secure, target: { host: hostname, port: Number(url.port) || (secure ? 443 : 80) } };
}

function unixAddress(host: string): Address {
  const path = host.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
  if (!path.startsWith("/")) throw invalidOption("host", `must name a socket by its absolute path, got "${host}"`);
  return { host, baseUrl: "http://localhost", secure: false, target: { path } };
}
