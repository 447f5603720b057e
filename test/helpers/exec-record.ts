import { Exec } from "../../server/src/exec/exec.ts";
import type { Journal } from "../../server/src/exec/journal/journal.ts";
import type { EndRecord } from "../../server/src/exec/state/records.ts";

/** What was asked for. */
export const summary = {
  program: { command: "true" },
  workingDirectory: Buffer.from("/"),
  labels: {},
  user: undefined,
  terminal: undefined,
};

/** An exec as the server keeps it, without a process; running where it has no end. */
export function execRecord(openJournal: () => Promise<Journal>, ended?: EndRecord): Exec {
  return new Exec({
    identity: { id: "it", sequence: 1, requestHash: "", startTimeMs: ended?.startTimeMs ?? 0, summary },
    readers: { stallTimeoutMs: 0, reconnectGraceMs: 0, keepBytes: 0 },
    openJournal,
    ended,
  });
}
