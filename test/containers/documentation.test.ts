import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { leavesNothingBehind, testImage } from "../helpers/docker-workspaces.ts";
import { shell, works } from "../helpers/engines/shell.ts";
import { run } from "../helpers/run.ts";
import { blocks, root } from "../docs/pages.ts";

const docker = inject("docker");
/** Only in an engine of the tests' own: they sweep, and call an image by the name that a user's own has. */
const isPrivate = docker.available && docker.isPrivate;
const programs = blocks.filter(({ language, text }) => language === "ts" && text.includes("@yonder/client/docker"));
const directory = join(root, ".cache/docs/containers");

beforeAll(() => mkdir(directory, { recursive: true }));

test("docs/containers.md has programs", () => expect(programs.length).toBeGreaterThan(2));

describe.skipIf(!isPrivate)("as it stands runs", () => {
  leavesNothingBehind();

  test.each(programs)("the program of $page, line $line", async ({ line, text }) => {
    await shell("docker", ["tag", testImage, "yonder-workspace"]);
    onTestFinished(async () => void (await works("docker", ["rmi", "yonder-workspace"])));
    const program = join(directory, `line-${line}.ts`);
    await writeFile(program, text);
    const { exitCode, stderr } = await run(process.execPath, [program]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });
});
