import { UsageError } from "./failure.ts";

/** Readers of options' values. Each throws a UsageError that says what it should be; its name is put before it. */

/** "500ms", "10s", "5m", "1h30m", "2d"; a bare number is seconds, as `timeout` and `sleep` have it. In milliseconds. */
export function duration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    throw new UsageError("must be a duration, such as 500ms, 10s, 5m, 1h30m or 2d");
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
  return Math.round(
    [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * (durations[unit ?? ""] ?? 0), 0),
  );
}

const durations: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "64KiB", "1.5M", "1GiB" or a number of bytes; K, M, G and T are powers of 1024, as `head` and `dd` have them. */
export function size(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMGT])?(?:i?B)?$/i.exec(text) ?? [];
  if (number === undefined) throw new UsageError("must be a size, such as 4096, 64KiB, 1M or 1GiB");
  const bytes = Math.round(Number(number) * 1024 ** ("KMGT".indexOf(unit?.toUpperCase() ?? " ") + 1));
  if (!Number.isSafeInteger(bytes)) throw new UsageError("must be a size under 8192TiB");
  return bytes;
}

/** A whole number that is not negative. */
export function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError("must be a whole number");
  return Number(text);
}

/** How many of something, as the contract counts. */
export function count(text: string): number {
  const number = whole(text);
  if (number > maxCount) throw new UsageError(`must be a whole number up to ${maxCount}`);
  return number;
}

const maxCount = 2 ** 31 - 1;

/** "name=value": both. */
export function pair(text: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError("must be NAME=VALUE");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** One of some words. */
export function oneOf<const Words extends readonly string[]>(words: Words): (text: string) => Words[number] {
  return (text) => {
    if (words.includes(text)) return text;
    throw new UsageError(`must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`);
  };
}
