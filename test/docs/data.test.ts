import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { blocks } from "./pages.ts";

test.each(blocks.filter(({ language }) => language === "json"))(
  "JSON in $page, line $line, is well-formed",
  ({ text }) => {
    // A stream prints one value after the other.
    for (const value of text.split(/\n(?=[{[])/)) expect(() => JSON.parse(value) as unknown).not.toThrow();
  },
);

test.each(blocks.filter(({ language }) => language === "yaml"))(
  "YAML in $page, line $line, is well-formed",
  ({ text }) => {
    for (const document of parseAllDocuments(text)) expect("errors" in document ? document.errors : []).toEqual([]);
  },
);

/** Each is run, compiled or parsed by a test in this directory. */
const tested = new Set(["sh", "ts", "json", "text", "yaml", "python", "nginx", "haproxy", "systemd", ""]);

test("every block of code is in a language that a test here takes", () => {
  expect(blocks.filter(({ language }) => !tested.has(language))).toEqual([]);
});
