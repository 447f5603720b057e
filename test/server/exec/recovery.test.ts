import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Journal } from "../../../server/src/exec/journal/journal.ts";
import type { Launcher } from "../../../server/src/exec/launcher.ts";
import { openExecEngine } from "../../../server/src/exec/recovery.ts";
import { ExecLog } from "../../../server/src/exec/state/exec-log.ts";
import { StateDirectory } from "../../../server/src/exec/state/state-directory.ts";
import { defaultLimits } from "../../../server/src/util/limits.ts";
import { execRecord, summary } from "../../helpers/exec-record.ts";

test("output whose exec is not remembered is removed at the next start, and no other file", async () => {
  const state = await openState();
  const { log } = ExecLog.open(state.path, { maxRememberedIds: 10 });
  log.started({ id: "kept", sequence: 1, requestHash: "", startTimeMs: 0, summary });
  log.close();
  for (const name of ["1", "2"]) await writeOutput(state, name);
  await writeFile(join(state.outputDirectory, "not ours"), "");

  const engine = await openEngine(state);
  expect((await readdir(state.outputDirectory)).toSorted()).toEqual(["1.000000.output", "not ours"]);
  await engine.close();
});

test("output that cannot be opened is tried again when it is next asked for", async () => {
  const state = await openState();
  let tries = 0;
  const exec = execRecord(async () => {
    if (++tries === 1) throw new Error("EMFILE");
    return await Journal.recover(placeOf(state, "1"));
  });
  await expect(exec.journal()).rejects.toThrow("EMFILE");
  const journal = await exec.journal();
  expect(await exec.journal()).toBe(journal);
  expect(tries).toBe(2);
});

async function openState(): Promise<StateDirectory> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-recovery-"));
  const state = await StateDirectory.open(directory);
  onTestFinished(async () => {
    await state.close();
    await rm(directory, { recursive: true, force: true });
  });
  return state;
}

function placeOf(state: StateDirectory, name: string) {
  return { directory: state.outputDirectory, name, memoryBytes: 1024, keepBytes: 1024 * 1024 };
}

async function writeOutput(state: StateDirectory, name: string): Promise<void> {
  const journal = new Journal(placeOf(state, name));
  await journal.append("stdout", Buffer.from("said"));
  await journal.close();
}

function openEngine(state: StateDirectory): ReturnType<typeof openExecEngine> {
  const launcher: Launcher = {
    features: new Set(),
    notices: [],
    launch: () => Promise.reject(new Error("nothing is started")),
    prepare: () => {},
    endLeftovers: async () => 0,
    diagnose: async () => ({ terminalProblem: "", orphans: undefined }),
    close: async () => {},
  };
  return openExecEngine({ launcher, state, limits: defaultLimits, workingDirectory: Buffer.from("/") });
}
