import { expect, test } from "vitest";
import { parseDockerIgnore } from "../../../client/src/docker/docker-ignore.ts";

test("a .dockerignore is read as Docker reads it", () => {
  const rules = parseDockerIgnore("# a comment\n*\n!src\n!scripts/one.mjs\n**/dist\nsrc/*.log\n!src/keep.log\n");
  const paths = [
    "src",
    "src/a.ts",
    "src/dist",
    "src/dist/x",
    "src/a.log",
    "src/keep.log",
    "src/deep/a.log",
    "scripts",
    "scripts/one.mjs",
    "scripts/two.mjs",
    "README.md",
  ];
  expect(paths.filter((path) => !rules.excludes(path))).toEqual([
    "src",
    "src/a.ts",
    "src/keep.log",
    "src/deep/a.log",
    "scripts/one.mjs",
  ]);
  expect(["scripts", "docs"].map((path) => rules.mayKeepInside(path))).toEqual([true, false]);
});
