import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExecLog, type LoggedExec } from "../../../server/src/exec/state/exec-log.ts";
import type { EndRecord, StartRecord } from "../../../server/src/exec/state/records.ts";
import { LimitExceeded } from "../../../server/src/util/errors.ts";

const MIB = 1024 * 1024;
const limits = { maxRememberedIds: 1000 };

let directory: string;
let file: string;
let isMounted = false;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "yonder-log-"));
  file = join(directory, "execs.jsonl");
});

afterEach(() => {
  if (isMounted) execFileSync("umount", ["-l", directory]);
  isMounted = false;
  rmSync(directory, { recursive: true, force: true });
});

function startOf(id: string, sequence: number): StartRecord {
  return {
    id,
    sequence,
    requestHash: "0".repeat(64),
    startTimeMs: 1_700_000_000_000,
    summary: {
      program: { args: ["printf", "%s\n", 'a "quoted" \u2028 word'] },
      workingDirectory: Buffer.from([0x2f, 0xff, 0xfe]),
      user: undefined,
      labels: { role: "dev" },
      terminal: { columns: 80, rows: 24, terminalType: "xterm" },
    },
  };
}

const end: EndRecord = {
  reason: "EXITED",
  exitCode: 3,
  startTimeMs: 1,
  endTimeMs: 2,
  durationMs: 0.5,
  stdoutBytes: 10,
  stderrBytes: 0,
};
const mark = { mark: "workspace/1", pid: 77, startTicks: 123, bootId: "boot" };

/** What a server that is started next finds. */
function reopen(): Map<string, LoggedExec> {
  const { log, entries } = ExecLog.open(directory, limits);
  log.close();
  return new Map(entries);
}

describe("ExecLog", () => {
  it("remembers each exec as far as it came", () => {
    const { log } = ExecLog.open(directory, limits);
    for (const [i, id] of ["begun", "running", "over", "gone", "failed"].entries()) log.started(startOf(id, i + 1));
    for (const id of ["running", "over", "gone"]) log.launched(id, mark);
    for (const id of ["over", "gone"]) log.ended(id, end);
    log.expired("gone");
    log.withdrawn("failed");
    log.close();

    for (const entries of [reopen(), reopen()]) {
      const live = { state: "live", leftoverMark: undefined, ended: undefined };
      expect(entries.get("begun")).toEqual({ ...live, sequence: 1, record: startOf("begun", 1) });
      expect(entries.get("running")).toMatchObject({ ...live, sequence: 2, leftoverMark: mark });
      expect(entries.get("over")).toMatchObject({ ...live, sequence: 3, leftoverMark: mark, ended: end });
      expect(entries.get("gone")).toEqual({ state: "expired", sequence: 4 });
      expect(entries.has("failed")).toBe(false);
    }
  });

  it("gives no sequence twice, even if every id was forgotten", () => {
    const { log } = ExecLog.open(directory, { maxRememberedIds: 0 });
    log.started(startOf("a", 41));
    log.ended("a", end);
    log.expired("a");
    log.close();
    ExecLog.open(directory, limits).log.close();
    const { log: next, entries, lastSequence } = ExecLog.open(directory, limits);
    next.close();
    expect(entries.size).toBe(1);
    expect(lastSequence).toBe(41);
  });

  it("forgets the ids that expired first once there are too many", () => {
    const few = { maxRememberedIds: 2 };
    const { log, entries } = ExecLog.open(directory, few);
    for (const [i, id] of ["a", "b", "c", "d"].entries()) {
      log.started(startOf(id, i));
      log.ended(id, end);
    }
    for (const id of ["d", "b", "a"]) log.expired(id);
    expect([...entries.keys()].toSorted()).toEqual(["a", "b", "c"]);
    log.close();
    const next = ExecLog.open(directory, few);
    next.log.close();
    expect([...next.entries.keys()].toSorted()).toEqual(["a", "b", "c"]);
  });

  it("is read whole however its last line was torn", () => {
    const { log } = ExecLog.open(directory, limits);
    log.started(startOf("whole", 1));
    log.started(startOf("torn", 2));
    log.close();
    const content = readFileSync(file);
    const lastLine = content.lastIndexOf("\n", content.length - 2) + 1;
    for (let size = lastLine; size < content.length; size += 7) {
      writeFileSync(file, content.subarray(0, size));
      const { log: next, entries } = ExecLog.open(directory, limits);
      expect([...entries.keys()]).toEqual(["whole"]);
      next.started(startOf("later", 3));
      next.close();
      expect([...reopen().keys()]).toEqual(["whole", "later"]);
    }
  });

  it("passes over lines that it does not know", () => {
    const { log } = ExecLog.open(directory, limits);
    log.started(startOf("a", 1));
    log.close();
    appendFileSync(file, '{"kind":"moved","id":"a"}\nnot JSON\n[]\nnull\n');
    expect([...reopen().keys()]).toEqual(["a"]);
  });

  it("refuses a file of another format and names the way out", () => {
    writeFileSync(file, '{"kind":"log","version":2,"lastSequence":0}\n');
    expect(() => ExecLog.open(directory, limits)).toThrow(/another version.*--state-directory/su);
  });

  it("keeps its file from other users", () => {
    ExecLog.open(directory, limits).log.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("does not grow with what is no longer true", () => {
    const few = { maxRememberedIds: 10 };
    const { log } = ExecLog.open(directory, few);
    let largest = 0;
    const large = { ...startOf("", 0), requestHash: "x".repeat(64 * 1024) };
    for (let i = 0; i < 500; i++) {
      const id = String(i);
      log.started({ ...large, id, sequence: i });
      log.ended(id, end);
      log.expired(id);
      largest = Math.max(largest, statSync(file).size);
    }
    log.close();
    expect(largest).toBeGreaterThan(7 * MIB);
    expect(largest).toBeLessThan(9 * MIB);
    const next = ExecLog.open(directory, few);
    next.log.close();
    expect(next.entries.size).toBe(10);
    expect(statSync(file).size).toBeLessThan(4096);
  });

  it("remembers the start that made it write its file anew", () => {
    const { log } = ExecLog.open(directory, limits);
    const large = { ...startOf("", 0), requestHash: "x".repeat(MIB) };
    for (let i = 0; i < 18; i++) {
      log.started({ ...large, id: `start-${i}`, sequence: i });
      const content = readFileSync(file, "latin1");
      expect(content.match(/"id":"start-/gu)).toHaveLength(i + 1);
    }
    log.close();
  });

  it("refuses a start for which the disk has no room, and keeps ends until it has", (context) => {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${MIB}`, "yonder-test", directory], { stdio: "pipe" });
      isMounted = true;
    } catch {
      context.skip("a full disk can be tried out only where mount is permitted");
    }
    const { log, entries } = ExecLog.open(directory, limits);
    log.started(startOf("first", 1));
    const filler = join(directory, "filler");
    writeFileSync(filler, Buffer.alloc(statfsSync(directory).bavail * 4096));
    const refused = { ...startOf("refused", 2), requestHash: "x".repeat(8192) };
    expect(() => log.started(refused)).toThrow(LimitExceeded);
    expect(() => log.started(refused)).toThrow(expect.objectContaining({ reason: "STORAGE_FULL" }));
    expect(entries.has("refused")).toBe(false);
    const message = "y".repeat(8192);
    log.ended("first", { ...end, message });
    expect(entries.get("first")).toMatchObject({ ended: { message } });
    expect(readFileSync(file, "utf8").endsWith("\n")).toBe(true);

    rmSync(filler);
    log.started(startOf("second", 3));
    log.close();
    const found = reopen();
    expect(found.get("first")).toMatchObject({ ended: { message } });
    expect([...found.keys()]).toEqual(["first", "second"]);
  });

  it("has every start that was acknowledged before the server was killed", async () => {
    const module = new URL("../../../server/src/exec/state/exec-log.ts", import.meta.url).href;
    const program = `
      import { ExecLog } from ${JSON.stringify(module)};
      const { log } = ExecLog.open(${JSON.stringify(directory)}, { maxRememberedIds: 1e6 });
      const summary = { program: { command: "x".repeat(2000) }, workingDirectory: Buffer.from("/"), labels: {} };
      for (let i = 0; ; i++) {
        log.started({ id: "e" + i, sequence: i, requestHash: "", startTimeMs: 0, summary });
        if (i % 2 === 0) { log.ended("e" + i, { reason: "EXITED", exitCode: 0 }); log.expired("e" + i); }
        process.stdout.write(i + "\\n");
        if (i % 100 === 0) await new Promise(setImmediate);
      }`;
    const flags = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module"];
    const child = spawn(process.execPath, [...flags, "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    let acknowledged = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      acknowledged += text;
      // Past the size at which the file is written anew.
      if (Number(acknowledged.split("\n").at(-2)) > 6_000) child.kill("SIGKILL");
    });
    await once(child, "close");
    const last = Number(acknowledged.split("\n").at(-2));
    const { log, entries } = ExecLog.open(directory, { maxRememberedIds: 1e6 });
    log.close();
    for (let i = 0; i <= last; i++) {
      const { state } = entries.get(`e${i}`) ?? {};
      // The very last one may have been told before it ended.
      expect(state === "expired" || (i % 2 === 1 && state === "live"), `e${i}: ${state}`).toBe(true);
    }
  });
});
