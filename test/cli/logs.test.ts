import { once } from "node:events";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, test } from "vitest";
import type { RemoteWorkspace } from "../../client/src/index.ts";
import { serve } from "../helpers/serve.ts";
import type { ServedWorkspace } from "../helpers/serve.ts";
import { connect } from "../helpers/workspaces.ts";
import { pipeYonder } from "../helpers/yonder.ts";

let server: ServedWorkspace;
let workspace: RemoteWorkspace;

beforeEach(async () => {
  server = await serve();
  workspace = await connect({ host: server.url });
});

function start(...args: string[]) {
  return pipeYonder(args, { YONDER_HOST: server.url });
}

async function run(...args: string[]) {
  const yonder = start(...args);
  yonder.stdin.end();
  const [stdout, stderr, exitCode] = await Promise.all([text(yonder.stdout), text(yonder.stderr), yonder.exited]);
  return { stdout, stderr, exitCode };
}

const logs = async (...args: string[]) => await run("logs", ...args);
const none = { stderr: "", exitCode: 0 };

describe("logs", () => {
  test("of a command that ended: all, its head, its tail, one stream, by lines and by bytes", async () => {
    // Each goes on only when the server has seen what came before, so that their order is this one.
    const script = "seq 1 3; read -r _; echo oops >&2; read -r _; printf 'la\\0st'";
    const handle = await workspace.spawn(script, { execId: "ended" });
    for (const cursor of [0, 6]) {
      await handle.output({ cursor, waitMs: 20_000 });
      await handle.stdin.write("\n");
    }
    await handle.wait();
    const found = await Promise.all([
      logs("ended"),
      logs("-f", "ended"),
      logs("--head", "2", "ended"),
      logs("--head", "3b", "ended"),
      logs("--tail", "2", "ended"),
      logs("--tail", "2b", "ended"),
      logs("--tail", "2", "--stdout", "ended"),
      logs("--tail", "0", "ended"),
      logs("--stderr", "ended"),
      logs("--head", "99", "--stdout", "ended"),
    ]);
    const all = { stdout: "1\n2\n3\nla\0st", stderr: "oops\n", exitCode: 0 };
    expect(found).toEqual([
      all,
      all,
      { ...none, stdout: "1\n2\n" },
      { ...none, stdout: "1\n2" },
      { ...none, stdout: "la\0st", stderr: "oops\n" },
      { ...none, stdout: "st" },
      { ...none, stdout: "3\nla\0st" },
      { ...none, stdout: "" },
      { ...none, stdout: "", stderr: "oops\n" },
      { ...none, stdout: "1\n2\n3\nla\0st" },
    ]);
  });

  test("the lines that match: a pattern, a text, without case, those that do not, the first and the last", async () => {
    await workspace.executeCommand("seq 1 20; echo a.b; echo AxB; echo a.b >&2", { execId: "ended" });
    const found = await Promise.all([
      logs("-g", "^1[0-2]$", "ended"),
      logs("-g", "a.b", "-i", "--stdout", "ended"),
      logs("-F", "-g", "a.b", "ended"),
      logs("-v", "-g", "[0-9]", "--stdout", "ended"),
      logs("-g", "^1", "--head", "2", "ended"),
      logs("-g", "^1", "--tail", "2", "-f", "ended"),
    ]);
    expect(found).toEqual([
      { ...none, stdout: "10\n11\n12\n" },
      { ...none, stdout: "a.b\nAxB\n" },
      { ...none, stdout: "a.b\n", stderr: "a.b\n" },
      { ...none, stdout: "a.b\nAxB\n" },
      { ...none, stdout: "1\n10\n" },
      { ...none, stdout: "18\n19\n" },
    ]);
  });

  test("the last lines of much are found, and bytes that are no text come out as they are", async () => {
    await workspace.executeCommand("seq 1 100000; printf '\\377\\376\\n'", { execId: "much", maxOutputBytes: 10 });
    const yonder = start("logs", "--tail", "50001", "much");
    const chunks: Buffer[] = [];
    yonder.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    expect(await yonder.exited).toBe(0);
    const numbers = Array.from({ length: 50_000 }, (_, index) => `${50_001 + index}\n`).join("");
    expect(Buffer.concat(chunks).equals(Buffer.concat([Buffer.from(numbers), Buffer.from([255, 254, 10])]))).toBe(true);
    const match = await logs("-g", "^9999[89]$", "much");
    const refused = await logs("-g", "(?=9)", "much");
    expect(refused.stderr).toMatch(/^yonder: --grep is no pattern in RE2 syntax: .*\n$/);
    expect(match.stdout).toBe("99998\n99999\n");
  });

  test("of a command that runs: what there is, or with -f what comes, too; Ctrl-C ends the printing alone", async () => {
    const handle = await workspace.spawn("echo first; while read -r line; do echo $line; done", { execId: "running" });
    const following = start("logs", "-f", "running");
    expect(String(await once(following.stdout, "data"))).toBe("first\n");
    expect(await logs("running")).toEqual({ ...none, stdout: "first\n" });
    const matching = start("logs", "-f", "-g", "match", "running");
    await handle.stdin.write("second\na match\n");
    expect(String(await once(following.stdout, "data"))).toMatch(/^second\n/);
    expect(String(await once(matching.stdout, "data"))).toBe("a match\n");
    following.kill("SIGINT");
    expect(await following.exited).toBe("SIGINT");
    expect((await handle.info()).state).toBe("running");
    await handle.stdin.end();
    expect(await matching.exited).toBe(0);
  });

  test("what is no longer kept is told", async () => {
    await workspace.executeCommand("seq 1 100000", { execId: "cut", keepOutputBytes: 65_536 });
    const { stdout, stderr, exitCode } = await logs("cut");
    expect([stdout.endsWith("\n100000\n"), exitCode]).toEqual([true, 0]);
    expect(stderr).toMatch(/^yonder: the first \d+ bytes are no longer kept\n$/);
  });
});

describe("kill", () => {
  test("ends commands, one with another signal, and says where there was nothing to end", async () => {
    const handles = await Promise.all(["a", "b", "c"].map((execId) => workspace.spawn(["sleep", "60"], { execId })));
    expect(await run("kill", "a", "b", "nobody")).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(/^yonder: .*nobody.*\n$/) as string,
    });
    expect(await run("kill", "-s", "int", "--target", "group", "c")).toEqual({ ...none, stdout: "" });
    const ends = await Promise.all(handles.map((handle) => handle.wait()));
    expect(ends.map(({ signal }) => signal)).toEqual(["SIGTERM", "SIGTERM", "SIGINT"]);
    const again = await run("kill", "-9", "a");
    expect(again).toMatchObject({ exitCode: 255, stderr: expect.stringContaining("a has ended") as string });
    expect(await run("kill", "-s", "NONSENSE", "a")).toMatchObject({ exitCode: 255 });
  });
});

describe("attach", () => {
  test("replays from the first byte, a cursor, or near the end, and ends as the command does", async () => {
    await workspace.executeCommand("printf 0123456789; printf err >&2; exit 9", { execId: "ended" });
    const [all, cursor, tail] = await Promise.all([
      run("attach", "ended"),
      run("attach", "--cursor", "8", "--no-stdin", "ended"),
      run("attach", "--tail", "4", "ended"),
    ]);
    expect(all).toEqual({ stdout: "0123456789", stderr: "err", exitCode: 9 });
    expect(cursor.exitCode).toBe(9);
    expect("0123456789".endsWith(cursor.stdout)).toBe(true);
    expect(cursor.stdout.length + cursor.stderr.length).toBe(5);
    expect(tail.stdout.length + tail.stderr.length).toBe(4);
    expect(await run("attach", "--cursor", "1", "--live", "ended")).toMatchObject({ exitCode: 2 });
    expect(await run("attach", "nobody")).toMatchObject({ exitCode: 255 });
  });

  test("--live begins with what comes; input and signals reach the command", async () => {
    const script = "echo before; trap 'echo caught; exit 4' INT; while read -r line; do echo $line; done";
    const handle = await workspace.spawn(script, { execId: "running" });
    await handle.output({ cursor: 0, waitMs: 20_000 });
    const yonder = start("attach", "--live", "running");
    yonder.stdin.write("line\n");
    expect(String(await once(yonder.stdout, "data"))).toBe("line\n");
    yonder.kill("SIGINT");
    expect(await text(yonder.stdout)).toBe("caught\n");
    expect(await yonder.exited).toBe(4);
  });
});
