import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { nameProblems } from "../../scripts/contract-names.mjs";

const buf = join(import.meta.dirname, "../../node_modules/.bin/buf");

function problemsOf(proto: string): string[] {
  const directory = mkdtempSync(join(tmpdir(), "yonder-names-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, "a"));
  writeFileSync(join(directory, "a", "a.proto"), `syntax = "proto3"; package a; ${proto}`);
  return nameProblems(execFileSync(buf, ["build", directory, "--output", "-"]));
}

it("a name that no language has is no problem", () => {
  expect(
    problemsOf(`message M { string path = 1; bytes raw_path = 2; map<string, string> labels = 3; optional int32 code = 4;
      oneof event { N started = 5; N ended = 6; } } message N { State state = 1; } enum State { STATE_ON = 0; }
      service S { rpc Get(M) returns (N); }`),
  ).toEqual([]);
});

it.each([
  ["a keyword", "message M { string from = 1; }", "M.from: Python has `from` already"],
  ["a keyword once it is spelt for the language", "message M { string self = 1; }", "M.self: Rust has `self` already"],
  ["a macro of C", "message M { string stdin = 1; }", "M.stdin: C++ has `stdin` already"],
  ["what every object has", "message M { string class = 1; }", "M.class: Java has `getClass` already"],
  [
    "the bytes of a string",
    "message M { string a = 1; bytes a_bytes = 2; }",
    "M.a_bytes and .a: Java makes `getABytes` of both",
  ],
  [
    "the number of a list",
    "message M { repeated int32 a = 1; int32 a_count = 2; }",
    "M.a_count and .a: Java makes `getACount` of both",
  ],
  ["the presence of a field", "message M { M a = 1; bool has_a = 2; }", "M.has_a and .a: C++ makes `has_a` of both"],
  [
    "the case of a oneof",
    "message M { oneof a { int32 b = 1; } int32 a_case = 2; }",
    "M.a and .a_case: C# makes `ACase` of both",
  ],
  ["a getter", "message M { string a = 1; string get_a = 2; }", "M.get_a and .a: Go makes `GetA` of both"],
  ["the message's own name", "message Hunk { string hunk = 1; }", "Hunk.hunk: C# has `Equals` already"],
  ["a keyword as a call", "message M {} service S { rpc Move(M) returns (M); }", "S.Move: Rust has `move` already"],
  [
    "a promise's method",
    "message M {} service S { rpc Then(M) returns (M); }",
    "S.Then: JavaScript and TypeScript has `then` already",
  ],
  ["a type of a language's own", "message Option {}", "Option: is a type of a language's own"],
  [
    "a service's client",
    "message SClient {} message M {} service S {}",
    "SClient and SClient: are one name where case does not count",
  ],
  ["another one's in other case", "message Ab {} message AB {}", "AB and Ab: are one name where case does not count"],
  ["a value that is a number", "enum E { E_2D = 0; }", 'E.2D: is no name in a language that leaves "E_" out'],
  [
    "one in a nested message",
    "message M { message N { string class = 1; } }",
    "M.N.class: Java has `getClass` already",
  ],
])("%s is one", (_, proto, problem) => {
  expect(problemsOf(proto)).toContain(problem);
});
