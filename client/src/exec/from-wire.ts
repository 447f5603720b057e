import { EndReasonSchema, ExecState, OutputStream } from "@yonder/proto";
import type { Exec, ExecEnded, ExecEvent as WireExecEvent } from "@yonder/proto";
import { durationToMs, enumName, timestampToDate } from "../connection/wire-values.ts";
import type { EndedEvent, LostEvent, OutputEvent, ScreenEvent, StartedEvent, StreamName } from "./events.ts";
import type { EndReason, ExecEnd, ExecInfo } from "./results.ts";
import { signalNumber } from "./signal-number.ts";

/** An event before its bytes are decoded. */
export type RawEvent = StartedEvent | Omit<OutputEvent, "text"> | LostEvent | Omit<ScreenEvent, "text"> | EndedEvent;

/** A message of the contract as one of our events. Undefined for a heartbeat, and for what this client does not know. */
export function toEvent(message: WireExecEvent | undefined, platform: string): RawEvent | undefined {
  const event = message?.event;
  switch (event?.case) {
    case "started": {
      const { execId, pid, startTime } = event.value;
      return { type: "started", execId, pid, startTime: timestampToDate(startTime) };
    }
    case "output": {
      const cursor = Number(event.value.cursor);
      const bytes = event.value.data;
      return {
        type: "output",
        stream: toStreamName(event.value.stream),
        bytes,
        cursor,
        nextCursor: cursor + bytes.length,
        streamOffset: Number(event.value.streamOffset),
      };
    }
    case "lost":
      return {
        type: "lost",
        cursor: Number(event.value.beginCursor),
        nextCursor: Number(event.value.endCursor),
        stdoutBytes: Number(event.value.stdoutBytes),
        stderrBytes: Number(event.value.stderrBytes),
      };
    case "screen": {
      const { data: bytes, columns, rows } = event.value;
      const cursor = Number(event.value.cursor);
      return { type: "screen", bytes, columns, rows, cursor, nextCursor: cursor };
    }
    case "ended":
      return { type: "ended", ...toExecEnd(event.value, platform) };
    default:
      return undefined;
  }
}

export function toStreamName(stream: OutputStream): StreamName {
  return stream === OutputStream.STDERR ? "stderr" : "stdout";
}

export function toExecEnd(ended: ExecEnded, platform: string): ExecEnd {
  const reason = (enumName(EndReasonSchema, ended.reason) ?? "UNKNOWN") as EndReason;
  return {
    reason,
    exitCode: exitCodeOf(reason, ended, platform),
    signal: ended.signal || undefined,
    timeoutOccurred: isTimeout(reason),
    startTime: timestampToDate(ended.startTime),
    endTime: timestampToDate(ended.endTime),
    durationMs: durationToMs(ended.duration) ?? 0,
    stdoutBytes: Number(ended.stdoutBytes),
    stderrBytes: Number(ended.stderrBytes),
    message: ended.message,
  };
}

/** One number for every end, of which only 0 is a success. */
function exitCodeOf(reason: EndReason, ended: ExecEnded, platform: string): number {
  if (isTimeout(reason)) return -1;
  // An exit code of 0 is a success only where the command exited of itself, or of itself on a signal it was sent.
  const trusted = reason === "EXITED" || reason === "KILLED";
  if (ended.exitCode !== undefined && (trusted || ended.exitCode !== 0)) return ended.exitCode;
  const number = ended.signal ? signalNumber(ended.signal, platform) : undefined;
  return number === undefined ? -1 : -number;
}

function isTimeout(reason: EndReason): boolean {
  return reason === "TIMED_OUT" || reason === "IDLE_TIMED_OUT";
}

export function toExecInfo(exec: Exec, platform: string): ExecInfo {
  const { terminal } = exec;
  return {
    execId: exec.execId,
    command: exec.program.case === "args" ? exec.program.value.values : (exec.program.value ?? ""),
    workingDir: exec.workingDirectory,
    user: exec.user,
    labels: exec.labels,
    state: exec.state === ExecState.ENDED ? "ended" : "running",
    pid: exec.pid,
    startTime: timestampToDate(exec.startTime),
    end: exec.ended && toExecEnd(exec.ended, platform),
    beginCursor: Number(exec.beginCursor),
    endCursor: Number(exec.endCursor),
    stdoutBytes: Number(exec.stdoutBytes),
    stderrBytes: Number(exec.stderrBytes),
    stdinOffset: Number(exec.stdinOffset),
    stdinOpen: exec.stdinOpen,
    terminal: terminal && { columns: terminal.columns, rows: terminal.rows, type: terminal.terminalType },
    readers: exec.readers,
    backgroundBytes: Number(exec.backgroundBytes),
    expireTime: timestampToDate(exec.expireTime),
  };
}
