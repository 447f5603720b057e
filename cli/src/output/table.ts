import truncatedWidth from "fast-string-truncated-width";
import { escapeControls } from "./escape.ts";
import { style } from "./style.ts";
import { write } from "./write.ts";

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers stand at the right. Default "left". */
  readonly align?: "left" | "right";
  /** On a terminal too narrow for the table, this column gives way. One of them at most. */
  readonly flexible?: boolean;
}

/** Least that is left of a column that gives way. */
const leastWidth = 8;
const gap = "  ";

/**
 * Prints rows as a table. On a terminal it fits the width; in a pipe nothing is cut, and there is no colour. Control
 * characters in cells are shown escaped.
 */
export async function writeTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<void> {
  const cells = rows.map((row) => columns.map(({ text }) => escapeControls(text(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...cells.map((line) => widthOf(line[index] ?? ""))),
  );
  const { columns: screen } = process.stdout;
  const flexible = columns.findIndex((column) => column.flexible);
  if (screen !== undefined && flexible >= 0) {
    const needed = widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1);
    const width = widths[flexible] ?? 0;
    widths[flexible] = Math.min(width, Math.max(leastWidth, width - (needed - screen)));
  }
  const line = (texts: readonly string[]) =>
    columns
      .map(({ align }, index) => fit(texts[index] ?? "", widths[index] ?? 0, align ?? "left"))
      .join(gap)
      .trimEnd();
  await write(`${style("bold", line(columns.map(({ title }) => title)))}\n`);
  for (const texts of cells) await write(`${line(texts)}\n`);
}

/** How many columns of a terminal a text takes. */
export function widthOf(text: string): number {
  return truncatedWidth(text).width;
}

/** A text in so many columns: cut with "…", or filled up. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const { index, truncated, width: taken } = truncatedWidth(text, { limit: width, ellipsis: "…", ellipsisWidth: 1 });
  if (truncated) {
    let cut = Array.from(text.slice(0, index));
    // The library takes a character too many where those of one column follow on others.
    while (cut.length > 0 && widthOf(cut.join("")) >= width) cut = cut.slice(0, -1);
    return `${cut.join("")}…`;
  }
  const space = " ".repeat(Math.max(0, width - taken));
  return align === "left" ? text + space : space + text;
}
