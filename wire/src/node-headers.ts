/** Headers as Node's `writeHead` and `addTrailers` take them. */
export function nodeHeaders(headers: Headers | undefined): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  headers?.forEach((value, name) => {
    const before = result[name];
    // Only cookies come one by one; all else is joined already.
    result[name] = before === undefined ? value : [before, value].flat();
  });
  return result;
}
