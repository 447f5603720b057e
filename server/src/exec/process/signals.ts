import { constants } from "node:os";
import { InvalidRequest } from "../../util/errors.ts";

/**
 * Reads a signal as people write it: "SIGINT", "INT", "2", and where the kernel has them "SIGRTMIN+1", "RTMAX-2".
 * Upper or lower case.
 */
export function parseSignal(text: string): number {
  const name = text.trim().toUpperCase();
  const number = /^\d{1,3}$/.test(name) ? Number(name) : numberOf(name.startsWith("SIG") ? name : `SIG${name}`);
  if (number === undefined || number < 1 || number > highest) {
    throw new InvalidRequest("UNKNOWN_SIGNAL", `No signal is called ${JSON.stringify(text)}.`, {
      subject: text,
      remedy: `Send a name such as "SIGINT", "INT" or "SIGRTMIN+1", or a number from 1 to ${highest}.`,
    });
  }
  return number;
}

/** The signal's name, for example "SIGKILL"; "SIGRTMIN+1" for real-time ones, "SIG33" for what has no name. */
export function signalName(number: number): string {
  const name = names.get(number);
  if (name !== undefined) return name;
  if (realTime === undefined || number < realTime.first || number > realTime.last) return `SIG${number}`;
  const offset = number - realTime.first;
  return offset === 0 ? "SIGRTMIN" : `SIGRTMIN+${offset}`;
}

/** 32 and 33 belong to the C library (glibc; musl keeps 34 too, and calls 35 the first). */
const realTime = process.platform === "linux" ? { first: 34, last: 64 } : undefined;
const highest = realTime?.last ?? 31;

const numbers = new Map<string, number>(Object.entries(constants.signals));
/** Where a number has two names (SIGABRT and SIGIOT), the one that is listed first is the usual one. */
const names = new Map<number, string>();
for (const [name, number] of numbers) if (!names.has(number)) names.set(number, name);

function numberOf(name: string): number | undefined {
  const known = numbers.get(name);
  if (known !== undefined || realTime === undefined) return known;
  const match = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (match === null) return undefined;
  const [, end, sign, digits] = match;
  const offset = Number(digits ?? 0);
  if (offset > 0 && sign !== (end === "MIN" ? "+" : "-")) return undefined;
  const number = end === "MIN" ? realTime.first + offset : realTime.last - offset;
  return number >= realTime.first && number <= realTime.last ? number : undefined;
}
