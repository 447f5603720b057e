import { expect, test } from "vitest";
import { joinPath, lastName, parentOf, parseOperand, saysDirectory } from "../../cli/src/files/operand.ts";

test.each([
  ["-", { kind: "pipe" }],
  ["file", { kind: "local", path: "file" }],
  ["./a:b", { kind: "local", path: "./a:b" }],
  ["/abs/a:b", { kind: "local", path: "/abs/a:b" }],
  ["dir/a:b", { kind: "local", path: "dir/a:b" }],
  ["./-", { kind: "local", path: "./-" }],
  [":", { kind: "remote", profile: undefined, path: "" }],
  [":path/to:it", { kind: "remote", profile: undefined, path: "path/to:it" }],
  [":/abs", { kind: "remote", profile: undefined, path: "/abs" }],
  ["dev:path", { kind: "remote", profile: "dev", path: "path" }],
  ["dev:", { kind: "remote", profile: "dev", path: "" }],
])("%j is read as scp reads it", (text, operand) => {
  expect(parseOperand(text)).toEqual(operand);
});

test("an empty path is refused", () => {
  expect(() => parseOperand("")).toThrow(/empty/);
});

test("names, parents and joined paths are right for text and for bytes", () => {
  const cases: [path: string, last: string, parent: string][] = [
    ["a", "a", "."],
    ["a/b/", "b", "a"],
    ["/a", "a", "/"],
    ["a/.", "", "a"],
    ["..", "", "."],
    [".", "", "."],
    ["/", "", "."],
  ];
  for (const [path, last, parent] of cases) {
    expect([lastName(path), lastName(Buffer.from(path)).toString()]).toEqual([last, last]);
    if (last !== "") expect([parentOf(path), parentOf(Buffer.from(path)).toString()]).toEqual([parent, parent]);
  }
  expect(joinPath("", "a")).toBe("a");
  expect(joinPath("/", "a")).toBe("/a");
  expect(joinPath("é", "")).toBe("é");
  expect(joinPath("a/", Buffer.from("\xff", "latin1"))).toEqual(Buffer.from("a/\xff", "latin1"));
  expect(["", ".", "..", "a/", "a/.", "a/..", "/"].every(saysDirectory)).toBe(true);
  expect(["a", "a.", "...", "a/b", ".a"].some(saysDirectory)).toBe(false);
});
