/** Calls back at a deadline, unless that is farther off than a timer can be set for. Undefined: there is none. */
export function atDeadline(timeoutMs: number | undefined, onDeadline: () => void): NodeJS.Timeout | undefined {
  if (timeoutMs === undefined || timeoutMs > maxTimerMs) return undefined;
  return setTimeout(onDeadline, timeoutMs);
}

/** 24.8 days. */
const maxTimerMs = 2 ** 31 - 1;
