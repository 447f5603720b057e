import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createOomCounter, ranOutOfMemory } from "../../../../server/src/exec/process/oom-counter.ts";
import { temporaryDirectory } from "../../../helpers/certificates.ts";

/** A group of version 2 as its files tell it; "local" is what happened to its own processes. */
async function makeGroup(parent: string | undefined, counts: Counts): Promise<string> {
  const group = parent === undefined ? await temporaryDirectory() : join(parent, "group");
  mkdirSync(group, { recursive: true });
  const { all, local } = counts;
  const lines = ({ oom, kills }: Count) => `low 0\nhigh 0\nmax 7\noom ${oom}\noom_kill ${kills}\noom_group_kill 0\n`;
  if (all !== undefined) writeFileSync(join(group, "memory.events"), lines(all));
  if (local !== undefined) writeFileSync(join(group, "memory.events.local"), lines(local));
  return group;
}

interface Count {
  readonly oom: number;
  readonly kills: number;
}
interface Counts {
  readonly all?: Count;
  readonly local?: Count;
}

function killsSeenFrom(own: string): number {
  const counter = createOomCounter([{ version: 2, controllers: [], own }]);
  onTestFinished(() => counter.close());
  return counter.read();
}

test.each([
  ["one of its own was killed", { all: { oom: 0, kills: 1 }, local: { oom: 0, kills: 1 } }, true],
  ["one below was killed at its limit", { all: { oom: 1, kills: 1 }, local: { oom: 1, kills: 0 } }, true],
  ["one below was killed at a limit below", { all: { oom: 1, kills: 1 }, local: { oom: 0, kills: 0 } }, false],
  ["its limit was reached and nothing killed", { all: { oom: 1, kills: 0 }, local: { oom: 1, kills: 0 } }, false],
  ["one was killed on Linux before 5.2", { all: { oom: 1, kills: 1 } }, true],
  ["nothing was killed on Linux before 5.2", { all: { oom: 0, kills: 0 } }, false],
])("a group ran out of memory or not: %s", async (_, counts: Counts, expected) => {
  expect(ranOutOfMemory(await makeGroup(undefined, counts))).toBe(expected);
});

test("what is killed in groups below the server's, which have limits of their own, does not count as the server's", async () => {
  const own = await makeGroup(undefined, { all: { oom: 3, kills: 3 }, local: { oom: 1, kills: 1 } });
  expect(killsSeenFrom(own)).toBe(1);
});

test("a group without the memory controller counts in the next one up that has it", async () => {
  const parent = await makeGroup(undefined, { all: { oom: 3, kills: 3 }, local: { oom: 2, kills: 2 } });
  expect(killsSeenFrom(await makeGroup(await makeGroup(parent, {}), {}))).toBe(2);
});
