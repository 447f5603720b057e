/** A duration for people, in at most two units: "5s", "3m 12s", "2h 5m", "4d 1h". Under a second in milliseconds. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.floor(ms / 1_000);
  const units = [
    ["d", Math.floor(seconds / 86_400)],
    ["h", Math.floor(seconds / 3_600) % 24],
    ["m", Math.floor(seconds / 60) % 60],
    ["s", seconds % 60],
  ] as const;
  const first = units.findIndex(([, count]) => count > 0);
  return units
    .slice(first, first + 2)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count}${unit}`)
    .join(" ");
}

/** A size for people, in three digits at most: "0B", "1.2KiB", "340MiB". */
export function formatSize(bytes: number): string {
  const unit = sizeUnits.findLast(([, size]) => bytes >= size) ?? sizeUnits[0];
  const number = bytes / unit[1];
  return `${unit[1] > 1 && number < 9.95 ? number.toFixed(1) : Math.round(number)}${unit[0]}`;
}

const sizeUnits = [
  ["B", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
] as const;
