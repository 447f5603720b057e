import type { IncomingHttpHeaders } from "node:http";

/** Headers as Node's `writeHead`, `addTrailers` and `request` take them. */
export function nodeHeaders(headers: Headers | undefined): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  headers?.forEach((value, name) => {
    const before = result[name];
    // Only cookies come one by one; all else is joined already.
    result[name] = before === undefined ? value : [before, value].flat();
  });
  return result;
}

/** Headers that came, without those of HTTP/2 itself. */
export function webHeaders(headers: IncomingHttpHeaders, into = new Headers()): Headers {
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    for (const each of Array.isArray(value) ? value : [value]) into.append(name, each);
  }
  return into;
}
