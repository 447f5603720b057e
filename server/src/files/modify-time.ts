import type { FileHandle } from "node:fs/promises";

/**
 * Sets the time of the last modification, exact to the microsecond. Node takes seconds as a double and cuts them off, so
 * many a microsecond would come out as the one before.
 *
 * @param seconds since 1970, meant to the microsecond
 */
export async function setModifyTime(handle: FileHandle, seconds: number): Promise<void> {
  const time = exactSeconds(seconds);
  await handle.utimes(time, time);
}

/** The smallest double that is not cut off to less than the microsecond that is meant. */
export function exactSeconds(seconds: number): number {
  const whole = Math.floor(seconds);
  const microseconds = Math.round((seconds - whole) * 1e6);
  let time = whole + microseconds / 1e6;
  // A double near today's date is good to 0.24 µs.
  while (Math.trunc((time - whole) * 1e9) < microseconds * 1000) time += 1.2e-7;
  return time;
}
