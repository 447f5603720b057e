import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { marked } from "marked";
import type { Tokens } from "marked";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LocalWorkspace } from "@yonder/client/local";
import { run } from "../helpers/run.ts";
import { root } from "./pages.ts";

const page = await readFile(join(root, "docs/coming-from.md"), "utf8");
const tables = marked.lexer(page).filter((token): token is Tokens.Table => token.type === "table");
/** What stands in code on the right-hand side: ours. */
const ours = tables.flatMap(({ rows }) => rows.flatMap(([, cell]) => codesOf(cell)));
const members = new Set(ours.flatMap((code) => code.match(/\b(?:workspace|handle|fs|git)(?:\.\w+)+/g) ?? []));
const commands = new Set(ours.filter((code) => code.startsWith("yonder ")));

let directory: string;
let names: Record<string, unknown>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "yonder-coming-"));
  const workspace = await LocalWorkspace.open({ workingDir: directory });
  const handle = await workspace.spawn("sleep 300", { terminal: { columns: 80, rows: 24 } });
  names = { workspace, handle, fs: workspace.fs, git: workspace.git };
});

afterAll(async () => {
  await (names["workspace"] as LocalWorkspace).close();
  await rm(directory, { recursive: true, force: true });
});

test("the tables have calls of ours", () => {
  expect(members.size).toBeGreaterThan(15);
  expect(commands.size).toBeGreaterThan(10);
});

test.each([...members])("there is %s", (path) => {
  const found = path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], names);
  expect(typeof found).toBe("function");
});

test.each([...commands])("%s is a verb with these options", async (command) => {
  const [, verb = "", ...words] = command.split(" ");
  const { exitCode, stdout } = await run(process.execPath, [join(root, "cli/bin/yonder.js"), verb, "--help"]);
  expect(exitCode).toBe(0);
  const options = words.filter((word) => /^--?[a-z]/.test(word));
  expect(options.filter((option) => !new RegExp(`(^|[ ,])${option}\\b`, "m").test(stdout))).toEqual([]);
});

function codesOf(cell: Tokens.TableCell | undefined): string[] {
  return (cell?.tokens ?? [])
    .filter((token): token is Tokens.Codespan => token.type === "codespan")
    .map(({ text }) => text);
}
