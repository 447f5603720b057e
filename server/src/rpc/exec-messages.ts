import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  EndReason,
  ExecDisposition,
  ExecState,
  OutputStream,
  type ExecEndedSchema,
  type ExecEventSchema,
  type ExecLostSchema,
  type ExecOutputSchema,
  type ExecSchema,
} from "@yonder/proto";
import type { Disposition, ExecEvent } from "../exec/event-stream.ts";
import type { ExecDescription, ExecIdentity } from "../exec/exec.ts";
import type { JournalChunk, JournalLost } from "../exec/journal/journal.ts";
import type { OutputStream as Stream } from "../exec/spec.ts";
import type { EndRecord } from "../exec/state/records.ts";
import { pathText } from "../util/path-text.ts";

/** The exec as the contract tells it. */
export function execMessage(exec: ExecDescription): MessageInitShape<typeof ExecSchema> {
  const { summary, ended } = exec;
  const directory = pathText(summary.workingDirectory);
  return {
    execId: exec.id,
    program:
      "command" in summary.program
        ? { case: "command", value: summary.program.command }
        : { case: "args", value: { values: [...summary.program.args] } },
    workingDirectory: directory.text,
    rawWorkingDirectory: directory.bytes,
    user: summary.user ?? "",
    labels: summary.labels,
    state: ended === undefined ? ExecState.RUNNING : ExecState.ENDED,
    pid: exec.pid,
    startTime: timestampFromMs(exec.startTimeMs),
    ...(ended === undefined ? {} : { ended: endedMessage(ended) }),
    beginCursor: BigInt(exec.beginCursor),
    endCursor: BigInt(exec.endCursor),
    stdoutBytes: BigInt(exec.stdoutBytes),
    stderrBytes: BigInt(exec.stderrBytes),
    stdinOffset: BigInt(exec.stdinOffset),
    stdinOpen: exec.isStdinOpen,
    ...(exec.terminal === undefined ? {} : { terminal: exec.terminal }),
    readers: exec.readers,
    backgroundBytes: BigInt(exec.backgroundBytes),
    ...(exec.expireTimeMs === undefined ? {} : { expireTime: timestampFromMs(exec.expireTimeMs) }),
  };
}

export function eventMessage(
  event: ExecEvent,
  exec: ExecIdentity,
  instanceId: string,
): MessageInitShape<typeof ExecEventSchema> {
  switch (event.type) {
    case "started":
      return {
        event: {
          case: "started",
          value: {
            execId: exec.id,
            pid: event.pid,
            disposition: dispositionValue(event.disposition),
            instanceId,
            startTime: timestampFromMs(exec.startTimeMs),
          },
        },
      };
    case "output":
      return { event: { case: "output", value: outputMessage(event) } };
    case "lost":
      return { event: { case: "lost", value: lostMessage(event) } };
    case "screen":
      return {
        event: {
          case: "screen",
          value: { cursor: BigInt(event.cursor), data: event.data, columns: event.columns, rows: event.rows },
        },
      };
    case "heartbeat":
      return { event: { case: "heartbeat", value: { cursor: BigInt(event.cursor) } } };
    case "ended":
      return { event: { case: "ended", value: endedMessage(event.record) } };
  }
}

export function outputMessage(chunk: JournalChunk): MessageInitShape<typeof ExecOutputSchema> {
  return {
    cursor: BigInt(chunk.cursor),
    stream: streamValue(chunk.stream),
    streamOffset: BigInt(chunk.streamOffset),
    data: chunk.data,
  };
}

export function lostMessage(lost: JournalLost): MessageInitShape<typeof ExecLostSchema> {
  return {
    beginCursor: BigInt(lost.beginCursor),
    endCursor: BigInt(lost.endCursor),
    stdoutBytes: BigInt(lost.stdoutBytes),
    stderrBytes: BigInt(lost.stderrBytes),
  };
}

export function endedMessage(end: EndRecord): MessageInitShape<typeof ExecEndedSchema> {
  return {
    reason: EndReason[end.reason],
    ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    signal: end.signal ?? "",
    startTime: timestampFromMs(end.startTimeMs),
    endTime: timestampFromMs(end.endTimeMs),
    duration: durationFromMs(Math.round(end.durationMs)),
    stdoutBytes: BigInt(end.stdoutBytes),
    stderrBytes: BigInt(end.stderrBytes),
    message: end.message ?? "",
  };
}

export function dispositionValue(disposition: Disposition): ExecDisposition {
  return ExecDisposition[disposition];
}

export function streamValue(stream: Stream): OutputStream {
  return stream === "stdout" ? OutputStream.STDOUT : OutputStream.STDERR;
}
