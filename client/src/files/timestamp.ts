/** Milliseconds since 1970 as the contract's time, to the microsecond. */
export function timestampOf(ms: number): { seconds: bigint; nanos: number } {
  const microseconds = BigInt(Math.floor(ms * 1000));
  const rest = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return { seconds: (microseconds - rest) / 1_000_000n, nanos: Number(rest) * 1000 };
}
