import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { run } from "../helpers/run.ts";
import { blocks, root } from "./pages.ts";

const programs = blocks.filter(({ language }) => language === "ts");
const directory = join(root, ".cache", "docs", "typescript");
const fileOf = ({ page, line }: { page: string; line: number }): string =>
  `${page.replaceAll("/", "-").replace(/\.md$/, "")}-line-${line}.ts`;

let complaints: readonly string[];

beforeAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  // `export {}` makes a program a module of its own, with an `await` of its own.
  await Promise.all(programs.map((block) => writeFile(join(directory, fileOf(block)), `${block.text}\nexport {};\n`)));
  const config = {
    extends: join(root, "tsconfig.base.json"),
    // Programs of a page show a value, and need not use it.
    compilerOptions: { noEmit: true, noUnusedLocals: false, typeRoots: [join(root, "node_modules/@types")] },
    include: ["*.ts", join(root, "test/docs/given/names.d.ts")],
  };
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify(config));
  const { stdout } = await run(join(root, "node_modules/.bin/tsc"), ["--pretty", "false", "-p", directory]);
  complaints = stdout.split("\n").filter((line) => line !== "");
}, 120_000);

test.each(programs)("TypeScript in $page, line $line, compiles", (block) => {
  const file = relative(root, join(directory, fileOf(block)));
  expect(complaints.filter((complaint) => complaint.startsWith(file))).toEqual([]);
});

test("nothing else is complained of", () => {
  const files = programs.map((block) => relative(root, join(directory, fileOf(block))));
  expect(complaints.filter((line) => !files.some((file) => line.startsWith(file)) && !line.startsWith(" "))).toEqual(
    [],
  );
});
