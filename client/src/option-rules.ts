import { invalidOption } from "./invalid-option.ts";

/** Well under what a timer takes (24 days; past it, it is one of 1 ms), and what gRPC takes for a time limit (27 hours). */
const longestMs = 24 * 60 * 60_000;

export function duration(option: string, ms: number, least = 1): number {
  if (typeof ms === "number" && ms >= least && ms <= longestMs) return ms;
  throw invalidOption(option, `must be ${least} to ${longestMs} milliseconds, got ${shown(ms)}`);
}

export function choice<T extends string>(option: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  const names = choices.map((each) => `"${each}"`);
  throw invalidOption(option, `must be ${names.slice(0, -1).join(", ")} or ${names.at(-1)}, got ${shown(value)}`);
}

export function portNumber(option: string, port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw invalidOption(option, `must be a port from 1 to 65535, got ${shown(port)}`);
}

export function list(option: string, value: unknown): void {
  if (!Array.isArray(value)) throw invalidOption(option, `must be a list, got ${shown(value)}`);
}

/** Texts by name. */
export function texts(option: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== "string") throw invalidOption(option, `must have texts, got ${shown(value)} for ${name}`);
  }
}

export function variableNames(option: string, names: readonly string[]): void {
  const odd = names.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (odd !== undefined) throw invalidOption(option, `must have names of variables, got ${shown(odd)}`);
}

const units: Readonly<Record<string, number>> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** "512m", as Docker reads it, in bytes. */
export function bytes(option: string, value: string | number): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(String(value)) ?? [];
  const size = Math.floor(Number(digits) * (units[unit.toLowerCase()] ?? 1));
  if (digits !== undefined && Number.isSafeInteger(size) && size >= 1) return size;
  throw invalidOption(option, `must be bytes or a size as in "512m" or "2g", got ${shown(value)}`);
}

/** The names of an interface, which nothing but the compiler knows otherwise. */
export type Names<T> = Readonly<Record<keyof T, true>>;

/** From JavaScript or JSON, a limit whose name is misspelt would be none. `group` is what the options are in: "retry.". */
export function onlyKnown(options: object, known: Readonly<Record<string, unknown>>, group = ""): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const names = Object.keys(known);
    const same = names.find((each) => letters(each) === letters(name));
    if (same !== undefined) throw invalidOption(group + name, `is called ${same} here`);
    const near = names.find((each) => isNear(letters(each), letters(name)));
    throw invalidOption(group + name, `is not an option here${near === undefined ? "" : `; did you mean ${near}?`}`);
  }
}

function letters(name: string): string {
  return name.replaceAll(/[_-]/g, "").toLowerCase();
}

/** Whether two names are alike but for two letters in one place, as one is that is cut short ("timeout") or misspelt. */
function isNear(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  let begin = 0;
  while (begin < short.length && short[begin] === long[begin]) begin++;
  let end = 0;
  while (end < short.length - begin && short.at(-1 - end) === long.at(-1 - end)) end++;
  return long.length - begin - end <= 2 && begin + end > 2;
}

/** As in JSON, but for values that it does not have. */
export function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}
