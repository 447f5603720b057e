import type { DescEnum } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";

/** A duration in milliseconds, fractions kept. */
export function durationToMs(duration: Duration): number;
export function durationToMs(duration: Duration | undefined): number | undefined;
export function durationToMs(duration: Duration | undefined): number | undefined {
  return duration && Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

export function timestampToDate(timestamp: Timestamp): Date;
export function timestampToDate(timestamp: Timestamp | undefined): Date | undefined;
export function timestampToDate(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp && timestampDate(timestamp);
}

/** An enum value's name without its prefix, for example "EXITED". Undefined for one that this client does not know. */
export function enumName(schema: DescEnum, value: number): string | undefined {
  return value === 0 ? undefined : schema.value[value]?.localName;
}
