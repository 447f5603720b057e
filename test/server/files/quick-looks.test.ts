import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readInfo } from "../../../server/src/files/file-info.ts";
import type { FileInfo } from "../../../server/src/files/file-info.ts";
import type { Place } from "../../../server/src/files/place.ts";
import { QuickDisk } from "../../../transfer/src/quick-disk.ts";
import { QuickLooks } from "../../../server/src/files/quick-looks.ts";
import { until } from "../../helpers/until.ts";

const isLocal = (await QuickDisk.under(Buffer.from(tmpdir()))).isQuick;
let directory: string;
let looks: QuickLooks;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "yonder-looks-"));
  writeFileSync(join(directory, "file"), "text");
  mkdirSync(join(directory, "inner"));
  symlinkSync("file", join(directory, "link"));
  symlinkSync("nowhere", join(directory, "dangling"));
  looks = new QuickLooks();
  if (isLocal) await until(() => answersAtOnce(looks.readInfo(placeOf("file"), true)));
});

afterEach(() => rmSync(directory, { recursive: true }));

function placeOf(name: string): Place {
  const path = Buffer.from(join(directory, name));
  return { path, at: path, directory: Buffer.from(directory), name: Buffer.from(name) };
}

/** All but the statistics, of which a look at a link changes one. */
function said({ path, kind, etag, linkTarget }: FileInfo): object {
  return { path, kind, etag, linkTarget };
}

/** Whether it settles before anything else could have its turn, another thread's answer among it. */
async function answersAtOnce(answer: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = (): void => void (isSettled = true);
  answer.then(settle, settle);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  const wasAtOnce = isSettled;
  await answer.catch(() => {});
  return wasAtOnce;
}

describe.skipIf(!isLocal)("a look at a single file on a local disk", () => {
  test.each(["file", "inner", "link", "dangling"])("says of %s what another thread says, at once", async (name) => {
    const place = placeOf(name);
    const told = said(await readInfo(place.at, place.path, false));
    expect(said(await looks.readInfo(place, false))).toEqual(told);
    await until(() => answersAtOnce(looks.readInfo(place, false)));
  });

  test("leaves a link that is to be followed to another thread", async () => {
    const place = placeOf("link");
    expect(await answersAtOnce(looks.readInfo(place, true))).toBe(false);
    const told = said(await readInfo(place.at, place.path, true));
    expect(said(await looks.readInfo(place, true))).toEqual(told);
    await expect(looks.readInfo(placeOf("dangling"), true)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("fails as it does on another thread", async () => {
    await expect(looks.readInfo(placeOf("missing"), true)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(looks.readInfo(placeOf("file/below"), true)).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

test("a file of another file system than a disk of this machine is left to another thread", async () => {
  const path = Buffer.from("/proc/self/limits");
  const place: Place = { path, at: path, directory: Buffer.from("/proc/self"), name: Buffer.from("limits") };
  for (let round = 0; round < 20; round++) {
    expect(await answersAtOnce(looks.readInfo(place, true))).toBe(false);
  }
});
