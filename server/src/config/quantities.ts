/** Parses "500ms", "10s", "5m", "1h30m" or "2d" into milliseconds. Throws an Error that says what is wrong. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    throw new Error("a duration is a number with its unit: 500ms, 10s, 5m, 1h30m, 2d");
  }
  let milliseconds = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    milliseconds += Number(number) * (durationUnits.get(unit ?? "") ?? 0);
  }
  return Math.round(milliseconds);
}

/** The shortest text that parses to it. */
export function formatDuration(milliseconds: number): string {
  return format(milliseconds, durationUnits);
}

/** Parses "64KiB", "1.5MiB", "1GiB", "1TiB" or a number of bytes. Throws an Error that says what is wrong. */
export function parseSize(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)?$/i.exec(text) ?? [];
  if (number === undefined) throw new Error("a size is a number of bytes, or one with its unit: 64KiB, 1MiB, 1GiB");
  const found = [...sizeUnits].find(([name]) => name.toLowerCase() === (unit ?? "B").toLowerCase());
  return Math.round(Number(number) * (found?.[1] ?? 1));
}

/** The shortest text that parses to it. */
export function formatSize(bytes: number): string {
  return format(bytes, sizeUnits);
}

const durationUnits = new Map([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
]);

const sizeUnits = new Map([
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["B", 1],
]);

function format(value: number, units: ReadonlyMap<string, number>): string {
  if (value === 0) return "0";
  const largest = [...units].find(([, size]) => value % size === 0);
  return largest === undefined ? String(value) : `${value / largest[1]}${largest[0]}`;
}
