import { unlink } from "node:fs/promises";
import { Exec } from "./exec.ts";
import { ExecEngine, type ExecEngineOptions } from "./exec-engine.ts";
import { execMark, journalName, journalPlace, readersOptions } from "./exec-start.ts";
import { Journal } from "./journal/journal.ts";
import { journalFiles } from "./journal/recover.ts";
import type { LeftoverMark } from "./launcher.ts";
import { LEFTOVERS_GRACE_MS } from "./leftovers.ts";
import { ExecLog, type LoggedExec } from "./state/exec-log.ts";
import type { EndRecord } from "./state/records.ts";

/**
 * Opens a workspace's execs as an earlier server left them. What had ended reads as before. What was running is lost:
 * its output so far can be read, its end says SERVER_LOST, what still runs of it is ended, and it never runs again.
 */
export async function openExecEngine(options: Omit<ExecEngineOptions, "log">): Promise<ExecEngine> {
  const { state, limits, launcher } = options;
  const { log, entries, lastSequence } = ExecLog.open(state.path, { maxRememberedIds: limits.maxRememberedIds });
  const files = await journalFiles(state.outputDirectory);
  const execs: Exec[] = [];
  const leftovers: LeftoverMark[] = [];
  for (const [id, entry] of entries) {
    if (entry.state === "expired") continue;
    const identity = entry.record;
    const openJournal = (): Promise<Journal> =>
      Journal.recover(
        { ...journalPlace(options, identity), keepBytes: limits.maxJournalBytes },
        files.get(journalName(identity)) ?? [],
      );
    let { ended } = entry;
    if (ended === undefined) {
      leftovers.push(leftoverOf(entry, state.workspaceId));
      ended = lostEnd(identity.startTimeMs, await openJournal());
      log.ended(id, ended);
    }
    execs.push(new Exec({ identity, readers: readersOptions(limits, limits.maxJournalBytes), openJournal, ended }));
  }
  if (leftovers.length > 0) await launcher.endLeftovers(leftovers, LEFTOVERS_GRACE_MS);
  await removeForgotten(files, execs);
  execs.sort((a, b) => (a.ended?.endTimeMs ?? 0) - (b.ended?.endTimeMs ?? 0));
  return new ExecEngine({ ...options, log }, { execs, nextSequence: lastSequence + 1 });
}

/** The output of an exec that had expired when the server was killed, before its files were gone. */
async function removeForgotten(files: ReadonlyMap<string, readonly string[]>, execs: readonly Exec[]): Promise<void> {
  const known = new Set(execs.map(({ identity }) => journalName(identity)));
  for (const [name, paths] of files) {
    if (!known.has(name)) for (const path of paths) await unlink(path).catch(() => undefined);
  }
}

/** A server that died between writing down the start and the process knows only the mark. */
function leftoverOf(entry: Extract<LoggedExec, { state: "live" }>, workspaceId: string): LeftoverMark {
  return (
    entry.leftoverMark ?? {
      mark: execMark(workspaceId, entry.sequence),
      pid: 0,
      startTicks: undefined,
      bootId: undefined,
    }
  );
}

function lostEnd(startTimeMs: number, journal: Journal): EndRecord {
  const endTimeMs = Date.now();
  return {
    reason: "SERVER_LOST",
    startTimeMs,
    endTimeMs,
    durationMs: endTimeMs - startTimeMs,
    stdoutBytes: journal.stdoutBytes,
    stderrBytes: journal.stderrBytes,
    message: "The server was killed while the command ran. How it ended is not known; the times are of the next start.",
  };
}
