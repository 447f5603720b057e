import type { LineFilter } from "@yonder/proto";
import type { LineFilterOptions } from "../exec/journal/line-filter.ts";
import { invalidField, missingField, sizeField } from "./fields.ts";

const MOST_LINES = 10_000;
const LONGEST_REGEX = 1_000;

/** Checks a line filter; undefined where the bytes are wanted as they are. */
export function lineFilterOptions(
  filter: LineFilter | undefined,
): Pick<LineFilterOptions, "expression" | "ignoreCase" | "invert" | "maxLines"> | undefined {
  if (filter === undefined) return undefined;
  const { ignoreCase, invert, maxLines } = filter;
  return {
    expression: expression(filter),
    ignoreCase,
    invert,
    maxLines: sizeField("line_filter.max_lines", maxLines, { min: 0, max: MOST_LINES }) || MOST_LINES,
  };
}

function expression({ expression: asked }: LineFilter): LineFilterOptions["expression"] {
  if (asked.case === undefined) throw missingField("line_filter", "needs a literal or a regex");
  if (asked.value === "") throw missingField(`line_filter.${asked.case}`, "is empty");
  if (asked.case === "literal") return { literal: asked.value };
  if (asked.value.length > LONGEST_REGEX) {
    throw invalidField("line_filter.regex", `has ${asked.value.length} characters; at most ${LONGEST_REGEX} are taken`);
  }
  return { regex: asked.value };
}
