import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settled } from "./compare.ts";
import { blocks, pages, rewriteOutput, root } from "./pages.ts";
import { Sandbox, sandboxHindrance } from "./sandbox.ts";

/** Run by other means: what they set up or measure is the project itself. */
const elsewhere = new Map([
  ["npm run quickstart", "scripts/newcomer.mjs walks README from top to bottom"],
  ["docker build", "npm run test:containers builds the image, on other bases too"],
  ["pip install", "npm run languages installs the package"],
  ["npm run package", "test/slow/packages.test.ts makes and installs the packages"],
  ["npm run bench", "CI runs npm run bench -- --quick"],
  ["npx node bench/floors", "test/bench/floors.test.ts runs them"],
]);

/** Its programs start containers. */
const onEngines = "docs/containers.md";

const shell = blocks.filter(
  ({ page, language, text }) =>
    (language === "sh" && ![...elsewhere.keys()].some((start) => text.startsWith(start))) ||
    (language === "ts" && page !== onEngines),
);
const hindrance = sandboxHindrance();
if (hindrance !== undefined) {
  if (process.env["CI"] !== undefined) throw new Error(`the pages' commands cannot be run: ${hindrance}`);
  process.stderr.write(`SKIP the pages' commands: ${hindrance}\n`);
}

/** A page that defines the same function several times, for one program or another, is run once with each. */
const runs = pages.flatMap(({ path }) => {
  const own = shell.filter(({ page }) => page === path);
  const alternatives = own.filter(({ text }) => text.startsWith("call() {"));
  if (own.length === 0) return [];
  if (alternatives.length < 2) return [{ name: path, path, blocks: own }];
  return alternatives.map((chosen) => ({
    name: `${path} by ${/^ +(\w+)/m.exec(chosen.text)?.[1]}`,
    path,
    blocks: own.filter((block) => block === chosen || !alternatives.includes(block)),
  }));
});

describe.skipIf(hindrance !== undefined).each(runs)("$name", ({ name, path, blocks }) => {
  let sandbox: Sandbox;

  // What a page presumes, in words: files beside it, a server that runs.
  beforeAll(async () => {
    sandbox = await Sandbox.open();
    const given = join(root, "test/docs/given", `${path.replaceAll("/", "-").replace(/\.md$/, "")}.sh`);
    if (existsSync(given)) await sandbox.run(await readFile(given, "utf8"));
  });

  afterAll(async () => await sandbox.close());

  // In the page's order: a block may stand on what those above it left.
  test.each(blocks)("the commands of line $line run as they stand", async (block) => {
    const { stdout } = await sandbox.run(block.language === "ts" ? program(block.text) : block.text);
    if (block.output === undefined) return;
    const { language, text } = block.output;
    if (process.env["UPDATE_DOCS"] !== undefined && !name.endsWith(" by buf")) rewriteOutput(block, stdout.trimEnd());
    else expect(settled(stdout, language)).toEqual(settled(text, language));
  });
});

/**
 * Runs it as in a directory where the packages are installed, with the names that its page presumes, and in a terminal
 * where it needs one: keys are typed into that.
 */
function program(text: string): string {
  const file = '"$YONDER_ROOT/.cache/docs/program.ts"';
  const run = `"$YONDER_ROOT/node_modules/.bin/node" ${file}`;
  return `mkdir -p "$YONDER_ROOT/.cache/docs"
cat >${file} <<'END'
import { end } from "../../test/docs/given/names.ts";
${text}
await end();
END
${text.includes("setRawMode") ? `(sleep 1; echo exit; sleep 10) | script --quiet --return --command '${run}' /dev/null` : run}`;
}
