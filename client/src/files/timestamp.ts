/** Milliseconds since 1970 as the contract's time, to the microsecond. */
export function timestampOf(ms: number): { seconds: bigint; nanos: number } {
  return exactTimestamp(BigInt(Math.floor(ms * 1000)) * 1000n);
}

/** Nanoseconds since 1970 as the contract's time, to the microsecond: finer ones cannot be set. */
export function exactTimestamp(ns: bigint): { seconds: bigint; nanos: number } {
  const microseconds = (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
  const rest = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return { seconds: (microseconds - rest) / 1_000_000n, nanos: Number(rest) * 1000 };
}
