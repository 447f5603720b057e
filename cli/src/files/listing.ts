import type { FileStats } from "@yonder/client";
import { nameBytes, nameText } from "../output/names.ts";
import { style } from "../output/style.ts";
import { widthOf } from "../output/table.ts";
import { modeText } from "./mode.ts";

interface Entry {
  readonly name: string | Buffer;
  readonly stats: FileStats;
}

/** Names: on a terminal in columns, as many as fit; in a pipe one a line. */
export function* plainLines(entries: readonly Entry[]): Generator<Buffer | string> {
  const screen = process.stdout.columns;
  if (!process.stdout.isTTY || !screen) {
    for (const { name } of entries) yield Buffer.concat([nameBytes(name), newline]);
    return;
  }
  const cells = entries.map(({ name, stats }) => ({
    text: shown(name, stats),
    width: widthOf(nameText(name) + sign(stats)),
  }));
  const rows = rowsThatFit(
    cells.map(({ width }) => width),
    screen,
  );
  for (let row = 0; row < rows; row++) {
    let line = "";
    for (let at = row; at < cells.length; at += rows) {
      const begin = at - row;
      const width = Math.max(...cells.slice(begin, begin + rows).map((cell) => cell.width));
      const cell = cells[at];
      const isLast = at + rows >= cells.length;
      line += `${cell?.text ?? ""}${isLast ? "" : " ".repeat(width - (cell?.width ?? 0) + gap)}`;
    }
    yield `${line}\n`;
  }
}

/** The least number of rows in which columns of these widths, filled downwards, fit. */
function rowsThatFit(widths: readonly number[], screen: number): number {
  for (let rows = 1; rows < widths.length; rows++) {
    let width = -gap;
    for (let begin = 0; begin < widths.length; begin += rows) {
      width += Math.max(...widths.slice(begin, begin + rows)) + gap;
      if (width >= screen) break;
    }
    if (width < screen) return rows;
  }
  return widths.length;
}

/** As `ls -l` has it, with times as 2026-11-21 23:54. */
export function* longLines(entries: readonly Entry[]): Generator<Buffer> {
  const columns = entries.map(({ stats }) => [stats.nlink, stats.uid, stats.gid, stats.size].map(String));
  const widths = [0, 1, 2, 3].map((at) => columns.reduce((most, cells) => Math.max(most, cells[at]?.length ?? 0), 0));
  for (const [index, { name, stats }] of entries.entries()) {
    const figures = (columns[index] ?? []).map((cell, at) => cell.padStart(widths[at] ?? 0)).join(" ");
    const lead = `${modeText(stats.kind, stats.mode)} ${figures} ${timeText(stats.mtime)} `;
    const text = process.stdout.isTTY ? Buffer.from(shown(name, stats)) : nameBytes(name);
    const { linkTarget } = stats;
    const target = linkTarget === undefined ? [] : [Buffer.from(" -> "), nameBytes(linkTarget)];
    yield Buffer.concat([Buffer.from(lead), text, ...target, newline]);
  }
}

function timeText(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** A name in its kind's colour, with its sign. */
function shown(name: string | Buffer, stats: FileStats): string {
  const text = nameText(name);
  const coloured = stats.isDirectory()
    ? style(["blue", "bold"], text)
    : stats.isSymbolicLink()
      ? style(["cyan", "bold"], text)
      : stats.isFile() && (stats.mode & 0o111) !== 0
        ? style(["green", "bold"], text)
        : text;
  return coloured + sign(stats);
}

function sign(stats: FileStats): string {
  if (stats.isDirectory()) return "/";
  return stats.isSymbolicLink() ? "@" : "";
}

const newline = Buffer.from("\n");
const gap = 2;
