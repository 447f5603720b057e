import { create } from "@bufbuild/protobuf";
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import {
  AttachRequestSchema,
  DownloadRequestSchema,
  ErrorDetailSchema,
  ExecEndedSchema,
  ExecEventSchema,
  ExecOutputSchema,
  ExecRequestSchema,
  FileChunkSchema,
  FileInfoSchema,
  GetInfoResponseSchema,
  GitSignatureSchema,
  StatRequestSchema,
  WriteStdinRequestSchema,
} from "@yonder/proto";
import { vectorOf } from "./vector.ts";
import type { Vector } from "./vector.ts";

/** What is legal and rare, and what stubs are known to get wrong. */
export function oddVectors(): Vector[] {
  return [...values(), ...encodings()];
}

/** Values at the edges, written as everybody writes them. */
function values(): Vector[] {
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
  return [
    vectorOf(
      ExecEndedSchema,
      "a reason that is newer than these stubs",
      // @ts-expect-error What a newer server may send.
      create(ExecEndedSchema, { reason: 99, exitCode: 0 }),
    ),
    vectorOf(
      ExecEndedSchema,
      "a negative reason",
      // @ts-expect-error Enumerations are open: any 32 bits are legal.
      create(ExecEndedSchema, { reason: -1 }),
    ),
    vectorOf(ExecEndedSchema, "exit code 0 is told", create(ExecEndedSchema, { reason: 1, exitCode: 0 })),
    vectorOf(ExecEndedSchema, "no exit code", create(ExecEndedSchema, { reason: 3, signal: "SIGTERM" })),
    vectorOf(ExecOutputSchema, "the greatest cursor", create(ExecOutputSchema, { cursor: most, streamOffset: most })),
    vectorOf(ExecOutputSchema, "the least cursor", create(ExecOutputSchema, { cursor: least, streamOffset: -1n })),
    vectorOf(ExecOutputSchema, "a cursor past 2^53", create(ExecOutputSchema, { cursor: 2n ** 53n + 1n })),
    vectorOf(
      FileInfoSchema,
      "the greatest inode",
      create(FileInfoSchema, { inode: 2n ** 64n - 1n, device: 2n ** 63n }),
    ),
    vectorOf(
      FileInfoSchema,
      "a name that is not UTF-8",
      create(FileInfoSchema, { path: "caf\ufffd", rawPath: Uint8Array.of(0x63, 0x61, 0x66, 0xe9) }),
    ),
    vectorOf(
      StatRequestSchema,
      "a name of every byte but NUL",
      create(StatRequestSchema, { rawPath: allBytes.slice(1) }),
    ),
    vectorOf(ExecOutputSchema, "output of every byte", create(ExecOutputSchema, { stream: 1, data: allBytes })),
    vectorOf(
      ExecOutputSchema,
      "a character cut at the end",
      create(ExecOutputSchema, { stream: 2, data: Uint8Array.of(0xf0, 0x9f, 0x99) }),
    ),
    vectorOf(
      StatRequestSchema,
      "a path of blanks, quotes and lines",
      create(StatRequestSchema, { path: ` "a'\\\t\n\r\0` }),
    ),
    vectorOf(
      StatRequestSchema,
      "a path beyond the basic plane",
      create(StatRequestSchema, { path: "e\u0301 \u{1f469}\u200d\u{1f4bb} \u{10ffff} \ufeff\u2028" }),
    ),
    vectorOf(FileChunkSchema, "a checksum of 0 is told", create(FileChunkSchema, { crc32: 0 })),
    vectorOf(FileChunkSchema, "no checksum", create(FileChunkSchema, { offset: 1n })),
    vectorOf(FileChunkSchema, "the greatest checksum", create(FileChunkSchema, { crc32: 0xffffffff })),
    vectorOf(DownloadRequestSchema, "a length of 0 is told", create(DownloadRequestSchema, { path: "a", length: 0n })),
    vectorOf(
      ExecRequestSchema,
      "an arm of a oneof that is empty and set",
      create(ExecRequestSchema, { program: { case: "command", value: "" } }),
    ),
    vectorOf(
      AttachRequestSchema,
      "an arm of a oneof that is zero and set",
      create(AttachRequestSchema, { execId: "a", start: { case: "cursor", value: 0n } }),
    ),
    vectorOf(
      ExecEventSchema,
      "an arm of a oneof that is an empty message",
      create(ExecEventSchema, { event: { case: "heartbeat", value: {} } }),
    ),
    vectorOf(
      ExecRequestSchema,
      "durations down to a nanosecond",
      create(ExecRequestSchema, {
        timeout: { seconds: 0n, nanos: 1 },
        idleTimeout: { seconds: 1n, nanos: 500_000_000 },
        disconnectGrace: {},
        killGrace: { seconds: 60n },
      }),
    ),
    vectorOf(
      ExecRequestSchema,
      "durations below zero",
      create(ExecRequestSchema, {
        timeout: { seconds: 0n, nanos: -500_000_000 },
        killGrace: { seconds: -1n, nanos: -1 },
      }),
    ),
    vectorOf(
      GitSignatureSchema,
      "a time before 1970",
      create(GitSignatureSchema, { name: "Ada", time: { seconds: -4_954_348_800n, nanos: 1 } }),
    ),
    vectorOf(
      GitSignatureSchema,
      "the last time there is",
      create(GitSignatureSchema, { time: { seconds: 253_402_300_799n, nanos: 999_999_999 } }),
    ),
    vectorOf(GetInfoResponseSchema, "labels", create(GetInfoResponseSchema, { labels: { "": "", é: "x", a: "" } })),
    vectorOf(
      ErrorDetailSchema,
      "an offset of 0 is told",
      create(ErrorDetailSchema, { reason: 49, expectedOffset: 0n, retryable: true }),
    ),
  ];
}

/** Encodings that are legal and that nobody writes: they are read all the same. */
function encodings(): Vector[] {
  return [
    odd(WriteStdinRequestSchema, "fields in another order", "20011a026869 0a0161", {
      execId: "a",
      data: "aGk=",
      eof: true,
    }),
    odd(WriteStdinRequestSchema, "a field twice, the last one counts", "0a0161 1001 0a0162 1002", {
      execId: "b",
      offset: "2",
    }),
    odd(WriteStdinRequestSchema, "a number in more bytes than it needs", "0a0161 10818000 2081 00", {
      execId: "a",
      offset: "1",
      eof: true,
    }),
    odd(WriteStdinRequestSchema, "fields that say their default", "0a00 1000 1a00 2000 2a00", {}),
    odd(ExecRequestSchema, "a oneof set twice, the last arm counts", "1201611a030a0162", { args: { values: ["b"] } }),
    odd(ExecRequestSchema, "a message in two pieces, which are one", "6a070a01611202 7831 6a070a01621202 7832", {
      labels: { a: "x1", b: "x2" },
    }),
    odd(ExecRequestSchema, "a nested message in two pieces", "5a020850 5a021018", {
      terminal: { columns: 80, rows: 24 },
    }),
    odd(GetInfoResponseSchema, "enumerations that are not packed", "2001 2002", {
      features: ["FEATURE_TERMINAL", "FEATURE_USER_SWITCH"],
    }),
    odd(ExecOutputSchema, "an enumeration of 64 bits is cut to 32", "1081808080 10", {
      stream: "OUTPUT_STREAM_STDOUT",
    }),
    {
      ...odd(ExecEndedSchema, "fields that are newer than these stubs", "0801 1000 b89903 7f c29903 02 6869", {
        reason: "END_REASON_EXITED",
        exitCode: 0,
      }),
      unknownFields: true,
    },
    {
      ...odd(ExecEventSchema, "an event that is newer than these stubs", "c29903020801", {}),
      unknownFields: true,
    },
  ];
}

function odd(desc: DescMessage, what: string, hex: string, json: JsonValue): Vector {
  return {
    name: `${desc.name}: ${what}`,
    message: desc.typeName,
    wire: hex.replaceAll(" ", ""),
    json,
    roundTrips: false,
  };
}

const allBytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
