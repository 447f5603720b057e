import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { containerSpec } from "../../../client/src/docker/container-spec.ts";
import {
  makeSocketDirectory,
  removeSocketDirectory,
  socketDirectoryOf,
} from "../../../client/src/docker/socket-directory.ts";

test("the directory of a socket is closed to other users, and removed with what is in it", async () => {
  const directory = await makeSocketDirectory();
  expect(statSync(dirname(directory)).mode & 0o777).toBe(0o700);
  await removeSocketDirectory(directory);
  expect(existsSync(dirname(directory))).toBe(false);
});

test("a label of an image leads to the removal of nothing else", async () => {
  const victim = mkdtempSync(join(tmpdir(), "yonder-victim-"));
  onTestFinished(() => rmSync(victim, { recursive: true, force: true }));
  mkdirSync(join(victim, "run"));
  mkdirSync(join(victim, "yonder-socket-abcdef/run"), { recursive: true });
  const own = await makeSocketDirectory();
  onTestFinished(() => removeSocketDirectory(own));
  for (const label of [
    join(victim, "run"),
    `${dirname(own)}/../${basename(victim)}/run`,
    `${tmpdir()}/yonder-socket-abcdef/../${basename(victim)}/run`,
    join(victim, "yonder-socket-abcdef/run"),
    `${own}/../../${basename(victim)}/yonder-socket-abcdef/run`,
    "",
  ]) {
    await removeSocketDirectory(label);
    expect([label, existsSync(join(victim, "yonder-socket-abcdef/run"))]).toEqual([label, true]);
  }
});

test("a container has its own word on what an image's labels could say", () => {
  const plan = {
    image: "image",
    workingDir: "/workspace",
    owner: "machine/1/1",
    startId: "start",
    keeps: false,
    socketDirectory: undefined,
    hostPort: 1,
    hasShortcut: false,
    user: undefined,
  };
  const { Labels } = containerSpec(plan, {}) as { Labels: Record<string, string> };
  expect(Labels).toMatchObject({ "dev.yonder.keep": "false", "dev.yonder.socket-directory": "" });
  expect(socketDirectoryOf(Labels)).toBeUndefined();
});
