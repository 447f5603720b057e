import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { loadManual } from "../../cli/src/frame/manual.ts";
import type { ManualEntry } from "../../cli/src/frame/manual.ts";
import { temporaryDirectory } from "../helpers/certificates.ts";
import { groff, skipUnless } from "../helpers/programs.ts";
import { run } from "../helpers/run.ts";
import { runYonder } from "../helpers/yonder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
let manual: readonly ManualEntry[];
beforeAll(async () => {
  manual = await loadManual();
});

test("the pages and the man page are what the verbs say: npm run generate:manual", async () => {
  const fresh = await temporaryDirectory();
  const node = join(root, "node_modules/.bin/node");
  const script = join(root, "scripts/generate-manual.mjs");
  const { exitCode, stderr } = await run(node, ["--conditions=@yonder/source", script, fresh]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  const names = (await readdir(join(fresh, "docs/command"))).toSorted();
  expect((await readdir(join(root, "docs/command"))).toSorted()).toEqual(names);
  for (const path of ["cli/man/yonder.1", "docs/command.md", ...names.map((name) => `docs/command/${name}`)]) {
    const [committed, made] = await Promise.all([root, fresh].map((base) => readFile(join(base, path), "utf8")));
    expect({ path, text: committed }).toEqual({ path, text: made });
  }
});

test("a page has every option that --help has, and every example", async () => {
  const help = runYonder(["ps", "--help"]);
  expect(await help.exited).toBe(0);
  const page = await readFile(join(root, "docs/command/ps.md"), "utf8");
  const options = [...help.stdout().matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name ?? "");
  expect(options).toContain("--running");
  const shared = new Set(["--help", "--host", "--profile"]);
  for (const name of options) if (!shared.has(name)) expect(page).toContain(name);
  const { verb } = manual.find(({ words }) => words === "ps") ?? {};
  for (const [command] of verb?.examples ?? []) expect(page).toContain(command);
});

describe("the man page", () => {
  test("has every verb", async () => {
    const page = await readFile(join(root, "cli/man/yonder.1"), "utf8");
    for (const { words } of manual) expect(page).toMatch(new RegExp(`^\\.SS "yonder ${words}( |")`, "m"));
  });

  test.skipIf(skipUnless(groff, "groff", "apt-get install -y groff"))("is typeset without a warning", async () => {
    const typeset = await run(groff ?? "", ["-man", "-ww", "-Tutf8", join(root, "cli/man/yonder.1")]);
    expect([typeset.exitCode, typeset.stderr]).toEqual([0, ""]);
    expect(typeset.stdout).toContain("YONDER_API_KEY_FILE");
  });
});

test("no help, page or completion names what is for programs alone", async () => {
  expect(manual.map(({ words }) => words)).not.toContain("__complete");
  const help = runYonder(["--help"]);
  expect(await help.exited).toBe(0);
  expect(help.stdout()).not.toContain("__complete");
});
