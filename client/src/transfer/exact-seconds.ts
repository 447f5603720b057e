/**
 * A time as Node's utimes takes it, exact to the microsecond: it cuts the double off, so many a microsecond would come out
 * as the one before.
 */
export function exactSeconds(nanoseconds: bigint): number {
  const microseconds = nanoseconds / 1000n;
  const rest = Number(((microseconds % million) + million) % million);
  const whole = Number((microseconds - BigInt(rest)) / million);
  let time = whole + rest / 1e6;
  // A double near today's date is good to 0.24 µs.
  while (Math.trunc((time - whole) * 1e9) < rest * 1000) time += 1.2e-7;
  return time;
}

const million = 1_000_000n;
