import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { expect, test } from "vitest";
import { entries } from "../../../server/src/config/read-settings.ts";
import { variableOf } from "../../../server/src/config/settings.ts";

const path = fileURLToPath(new URL("../../../docs/server.md", import.meta.url));
const section = /(?<=<!-- settings:[^\n]*-->\n)[^]*(?=<!-- \/settings -->)/;

/** The table of settings as docs/server.md has it. */
async function settingsTable(): Promise<string> {
  const rows = entries().map(([key, setting]) => {
    const { placeholder, help, range, defaultText } = setting;
    const flag = placeholder === undefined ? `--${setting.flag}` : `--${setting.flag} ${placeholder}`;
    const about = range === undefined ? help : `${help} (${range})`;
    return `| \`${flag}\`<br>\`${variableOf(setting)}\` | ${about} | ${defaultText ?? ""} | \`${key}\` |`;
  });
  const head = ["| flag and variable | what it says | default | option |", "| --- | --- | --- | --- |"];
  const table = await format([...head, ...rows].join("\n"), { parser: "markdown", printWidth: 120 });
  return `\n${table}\n`;
}

test("docs/server.md has every setting as it is", async () => {
  const docs = readFileSync(path, "utf8");
  const table = await settingsTable();
  if (process.env["UPDATE_DOCS"] === "1")
    writeFileSync(
      path,
      docs.replace(section, () => table),
    );
  else expect(section.exec(docs)?.[0]).toBe(table);
});
