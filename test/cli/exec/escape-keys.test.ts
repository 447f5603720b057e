import fc from "fast-check";
import { expect, test } from "vitest";
import { EscapeKeys } from "../../../cli/src/exec/escape-keys.ts";

/** What comes of keys, in the pieces in which they come: text, and wishes in angle brackets. */
function come(pieces: readonly string[], escape = "~"): string {
  const keys = new EscapeKeys(escape === "" ? undefined : escape);
  const typed = pieces.flatMap((piece) => keys.take(Buffer.from(piece)));
  return typed.map((each) => ("bytes" in each ? Buffer.from(each.bytes).toString() : `<${each.wish}>`)).join("");
}

test.for([
  [["~."], "<detach>"],
  [["ls\r~."], "ls\r<detach>"],
  [["ls\r", "~", "."], "ls\r<detach>"],
  [["a~."], "a~."],
  [["~~."], "~."],
  [["~~", "~."], "~~."],
  [["~?"], "<help>"],
  [["~x"], "~x"],
  [["~\r~."], "~\r<detach>"],
  [["\n~.after"], "\n<detach>after"],
] as const)("%j comes as %j", ([pieces, expected]) => {
  expect(come(pieces)).toBe(expected);
});

test("another character, or none", () => {
  expect(come(["^.~."], "^")).toBe("<detach>~.");
  expect(come(["\r~.\r~?"], "")).toBe("\r~.\r~?");
});

test("without the character nothing is changed, however it comes", () => {
  const text = fc.array(fc.string().filter((each) => !each.includes("~")));
  fc.assert(
    fc.property(text, (pieces) => {
      expect(come(pieces)).toBe(pieces.join(""));
    }),
  );
});
