import type { LeftoverMark } from "../launcher.ts";
import type { EndRecord, ExecSummary, StartRecord } from "./records.ts";

/** The format that this server writes and reads. */
export const VERSION = 1;

/** One line of the record of execs. */
export type LogLine =
  | { readonly kind: "log"; readonly version: number; readonly lastSequence: number }
  | { readonly kind: "started"; readonly record: StartRecord }
  | { readonly kind: "launched"; readonly id: string; readonly mark: LeftoverMark }
  | { readonly kind: "withdrawn"; readonly id: string }
  | { readonly kind: "ended"; readonly id: string; readonly end: EndRecord }
  | { readonly kind: "expired"; readonly id: string; readonly sequence: number };

const KINDS = new Set<unknown>(["log", "started", "launched", "withdrawn", "ended", "expired"]);

/** JSON with the line feed; a directory's name as base64, since it need not be UTF-8. */
export function serializeLine(line: LogLine): string {
  if (line.kind !== "started") return `${JSON.stringify(line)}\n`;
  const { summary } = line.record;
  const workingDirectory = summary.workingDirectory.toString("base64");
  return `${JSON.stringify({ kind: line.kind, record: { ...line.record, summary: { ...summary, workingDirectory } } })}\n`;
}

/** Undefined for what is no line of a known kind. */
export function parseLine(text: string): LogLine | undefined {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isLogLine(line)) return undefined;
  return line.kind === "started" ? { kind: line.kind, record: reviveRecord(line.record) } : line;
}

/** The file is the server's own, private to its user: what has a known kind has the fields of that kind. */
function isLogLine(line: unknown): line is LogLine {
  return typeof line === "object" && line !== null && "kind" in line && KINDS.has(line.kind);
}

function reviveRecord(record: StartRecord): StartRecord {
  const { program, user, labels, terminal } = record.summary;
  const workingDirectory = Buffer.from(String(record.summary.workingDirectory), "base64");
  const summary: ExecSummary = { program, workingDirectory, user, labels, terminal };
  return { ...record, summary };
}
