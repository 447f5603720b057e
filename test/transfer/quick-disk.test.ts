import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { QuickDisk } from "../../transfer/src/quick-disk.ts";

test("a disk that was slow once is left to other threads for a while, and then asked again", async () => {
  const disk = new QuickDisk({ isLocal: true });
  expect(await disk.run(() => busy(20) ?? "read")).toBe("read");
  let left = 0;
  while (!disk.isQuick && left < 10_000) left++;
  expect(left).toBe(100);
});

test.runIf(process.platform === "linux")("only a disk of this machine is taken as quick", async () => {
  expect((await QuickDisk.under(Buffer.from("/dev/shm"))).isQuick).toBe(true);
  expect((await QuickDisk.under(Buffer.from("/proc"))).isQuick).toBe(false);
  expect((await QuickDisk.under(Buffer.from("/nowhere/at/all"))).isQuick).toBe(false);
});

test("whatever else the thread has to do gets its turn between files", async () => {
  const disk = new QuickDisk({ isLocal: true });
  let isOver = false;
  const turns = countTurns(() => isOver);
  for (let file = 0; file < 20; file++) await disk.run(() => busy(2));
  isOver = true;
  expect(await turns).toBeGreaterThan(3);
});

test("what a file fails with is thrown, after a slow one too", async () => {
  const disk = new QuickDisk({ isLocal: true });
  const fail = (): never => {
    busy(10);
    throw new Error("no space left");
  };
  await expect(disk.run(fail)).rejects.toThrow("no space left");
  expect(disk.isQuick).toBe(false);
});

function busy(milliseconds: number): undefined {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

async function countTurns(isOver: () => boolean): Promise<number> {
  let turns = 0;
  for (; !isOver(); turns++) await setImmediate();
  return turns;
}
