import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeControls } from "../../../cli/src/output/escape.ts";

test.for([
  ["plain naïve 日本 🙂", "plain naïve 日本 🙂"],
  ["a\nb\r\tc", String.raw`a\nb\r\tc`],
  ["\u001b[31mred\u0007\u007f\u009b", String.raw`\e[31mred\x07\x7f\x9b`],
  ["exe\u202efdp.\u2066x", String.raw`exe\u202efdp.\u2066x`],
  ["\u2028\u2029\ufeff", String.raw`\u2028\u2029\ufeff`],
  ["half \ud800", String.raw`half \ud800`],
] as const)("%j is shown as %s", ([text, shown]) => {
  expect(escapeControls(text)).toBe(shown);
});

test("nothing that is shown can steer a terminal", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapeControls(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});
