// Generates docs/command/, the tables of docs/command.md and cli/man/yonder.1 of the verbs as they are declared in
// cli/src/verbs. Run with --conditions=@yonder/source. `generate-manual.mjs [DIRECTORY]` writes below DIRECTORY instead.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { connectionOptions } from "../cli/src/connection/options.ts";
import { exits } from "../cli/src/frame/exits.ts";
import { loadManual, optionsOf } from "../cli/src/frame/manual.ts";
import { ownVersion } from "../cli/src/frame/own-version.ts";
import { environment, profileFields, whichWorkspace } from "../cli/src/frame/topics.ts";
import { pages, parts } from "./manual/markdown.mjs";
import { manPage } from "./manual/roff.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = resolve(process.argv[2] ?? root);
const entries = await loadManual();
const manual = {
  entries,
  optionsOf,
  exits,
  environment,
  profileFields,
  whichWorkspace,
  connectionOptions,
  version: ownVersion(),
};

rmSync(join(output, "docs/command"), { recursive: true, force: true });
for (const [name, text] of pages(manual)) await writePage(`docs/command/${name}`, text);
await writePage("docs/command.md", fill(readFileSync(join(root, "docs/command.md"), "utf8"), parts(manual)));
write("cli/man/yonder.1", manPage(manual));

/** Puts each part between its markers, <!-- verbs --> and <!-- /verbs -->. */
function fill(text, byName) {
  return [...byName].reduce((before, [name, part]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [head, rest] = before.split(begin);
    const tail = rest?.split(end)[1];
    if (tail === undefined) throw new Error(`docs/command.md has no ${begin} … ${end}`);
    return `${head}${begin}\n\n${part}\n\n${end}${tail}`;
  }, text);
}

async function writePage(path, text) {
  const options = await resolveConfig(join(root, path));
  write(path, await format(text, { ...options, parser: "markdown", proseWrap: "always" }));
}

function write(path, text) {
  const file = join(output, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
