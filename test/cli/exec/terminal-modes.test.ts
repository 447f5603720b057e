import fc from "fast-check";
import { expect, test } from "vitest";
import { TerminalModes } from "../../../cli/src/exec/terminal-modes.ts";

const plain = "\u001b[0m";

function resetAfter(...pieces: string[]): string {
  const modes = new TerminalModes();
  for (const piece of pieces) modes.scan(Buffer.from(piece, "latin1"));
  return modes.reset();
}

test.for([
  [["text"], plain],
  [["\u001b[?1049h"], `\u001b[?1049l${plain}`],
  [["\u001b[?25l"], `\u001b[?25h${plain}`],
  [["\u001b[?1000;1006h"], `\u001b[?1000l\u001b[?1006l${plain}`],
  [["\u001b[?1049h", "\u001b[?1049l"], plain],
  [["\u001b[?9999h\u001b[4h"], plain],
  [["\u001b="], `\u001b>${plain}`],
] as const)("after %j, %j puts it back", ([pieces, expected]) => {
  expect(resetAfter(...pieces)).toBe(expected);
});

test("wherever what is printed is cut", () => {
  const whole = "a\u001b[?1049h\u001b[?25lb\u001b[?2004h\u001b=c";
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: whole.length })), (cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
      const pieces = edges.slice(1).map((edge, index) => whole.slice(edges[index], edge));
      expect(resetAfter(...pieces)).toBe(resetAfter(whole));
    }),
  );
});

test("once put back, there is nothing to put back", () => {
  const modes = new TerminalModes();
  modes.scan(Buffer.from("\u001b[?1049h"));
  modes.reset();
  expect(modes.reset()).toBe(plain);
});
