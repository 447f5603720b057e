import { createHash, randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { execServer, refusal, textOf } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

const MIB = 2 ** 20;
const server = execServer();

describe("standard input", () => {
  const data = randomBytes(3 * MIB);
  const digest = createHash("sha256").update(data).digest("hex");

  /** A command that reads its input only when `go` is called. */
  async function holding(): Promise<{ execId: string; go: () => Promise<void> }> {
    const name = server.newId();
    const fifo = join(server.directory, name);
    execFileSync("mkfifo", [fifo]);
    const { execId } = await server.spawn(`read -r _ < ${name}; sha256sum`, { stdin: {} });
    return { execId, go: () => writeFile(fifo, "\n") };
  }

  const offsetOf = async (execId: string) => (await server.exec.getExec({ execId })).exec?.stdinOffset ?? 0n;

  test("of 3 MiB for a command that does not read waits, and goes through once it reads", async () => {
    const { execId, go } = await holding();
    let isTaken = false;
    const written = server.exec.writeStdin({ execId, data, eof: true }).finally(() => (isTaken = true));
    await until(async () => (await offsetOf(execId)) >= BigInt(MIB));
    expect(await offsetOf(execId)).toBeLessThan(BigInt(2 * MIB));
    expect(isTaken).toBe(false);
    await go();
    expect((await written).offset).toBe(BigInt(3 * MIB));
    expect(await server.printed(execId, "-\n")).toBe(`${digest}  -\n`);
    expect(await server.ended(execId)).toMatchObject({ stdinOffset: BigInt(3 * MIB), stdinOpen: false });
  });

  test("whose call was given up took a number of bytes that is told, and goes on from there", async () => {
    const { execId, go } = await holding();
    const caller = new AbortController();
    const given = refusal(server.exec.writeStdin({ execId, data }, { signal: caller.signal }));
    await until(async () => (await offsetOf(execId)) >= BigInt(MIB));
    caller.abort();
    expect((await given).code).toBe("CANCELED");
    // An empty write waits for its turn: after it the call before is over.
    const { offset } = await server.exec.writeStdin({ execId });
    expect(await offsetOf(execId)).toBe(offset);
    const gap = { execId, offset: offset + 1n, data: data.subarray(Number(offset) + 1) };
    expect(await refusal(server.exec.writeStdin(gap))).toMatchObject({
      reason: "STDIN_OFFSET_GAP",
      detail: { expectedOffset: offset },
    });
    const rest = server.exec.writeStdin({ execId, offset, data: data.subarray(Number(offset)), eof: true });
    await go();
    expect((await rest).offset).toBe(BigInt(3 * MIB));
    expect(await server.printed(execId, "-\n")).toBe(`${digest}  -\n`);
  });

  test("comes with the request, to its end", async () => {
    const { stdout } = await server.run("sha256sum", { stdin: { data, eof: true } });
    expect(stdout).toBe(`${digest}  -\n`);
    expect((await server.run("cat; echo empty")).stdout).toBe("empty\n");
  });
});

test("input that came already is passed over, also when it comes in overlapping pieces", async () => {
  const { execId } = await server.spawn("cat", { stdin: { data: Buffer.from("abc") } });
  const write = async (offset: bigint, text: string, eof = false) =>
    (await server.exec.writeStdin({ execId, offset, data: Buffer.from(text), eof })).offset;
  expect(await write(0n, "abc")).toBe(3n);
  expect(await write(1n, "bcdef")).toBe(6n);
  expect(await write(3n, "def")).toBe(6n);
  expect(await write(6n, "", false)).toBe(6n);
  expect(await write(6n, "g", true)).toBe(7n);
  expect((await server.ended(execId)).ended.exitCode).toBe(0);
  const { output } = await server.exec.readOutput({ execId });
  expect(textOf(output)).toBe("abcdefg");
});
