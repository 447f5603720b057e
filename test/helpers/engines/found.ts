/** An engine that tests can use, or why there is none here. */
export type Found<T> = ({ readonly available: true } & T) | { readonly available: false; readonly reason: string };

export function missing(reason: string): { readonly available: false; readonly reason: string } {
  return { available: false, reason };
}

/** Says loudly that tests are going to be skipped; where the environment demands the engine, throws instead. */
export function announce(name: string, found: Found<unknown>): void {
  if (found.available) return;
  const variable = `REQUIRE_${name.toUpperCase()}`;
  if (process.env[variable] === "1") throw new Error(`${variable}=1, but there is no ${name}: ${found.reason}`);
  process.stderr.write(`\nSKIP ${name}: ${found.reason}\n\n`);
}
