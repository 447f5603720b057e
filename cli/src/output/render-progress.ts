import { escapeControls } from "./escape.ts";
import { fit, widthOf } from "./table.ts";
import { formatSize } from "./units.ts";

/** How far something is, as a line shows it. */
export interface Progress {
  readonly label: string;
  readonly done: number;
  /** Undefined: not known. */
  readonly total: number | undefined;
  /** A second. Undefined: not known yet. */
  readonly rate: number | undefined;
  readonly elapsedMs: number;
  readonly isFinished: boolean;
  /** How an amount is shown. Default: as bytes. */
  readonly amount?: (value: number) => string;
}

/**
 * One line of a terminal that wide: name, share, bar, amount, rate, and the time that is left, or, at the end, was taken.
 * Where there is little room the bar goes first, then the name is cut.
 */
export function renderProgress(progress: Progress, columns: number): string {
  const { done, total, rate, elapsedMs, isFinished, amount = formatSize } = progress;
  const share = total === undefined ? undefined : total === 0 ? 1 : Math.min(1, done / total);
  const percent = share === undefined ? "" : `${Math.floor(share * 100)}%`.padStart(4);
  const amounts = total === undefined || isFinished ? amount(done) : `${amount(done)}/${amount(total)}`;
  const speed = rate === undefined ? "" : `${amount(rate)}/s`;
  const left = total === undefined || !rate ? undefined : ((total - done) / rate) * 1_000;
  const time = isFinished || total === undefined ? clock(elapsedMs) : left === undefined ? "--:--" : clock(left);
  const figures = `${amounts.padStart(13)} ${speed.padStart(10)} ${time.padStart(6)}`;
  // The last column stays empty: some terminals would begin a new line.
  const room = columns - 1 - figures.length - percent.length - 2;
  const label = escapeControls(progress.label);
  const labelWidth = Math.max(1, Math.min(widthOf(label), room));
  const barWidth = Math.min(mostBar, room - labelWidth - 3);
  const bar = share === undefined || barWidth < leastBar ? "" : ` ${drawBar(share, barWidth)}`;
  const space = " ".repeat(Math.max(0, room - labelWidth - bar.length));
  return fit(`${fit(label, labelWidth)}${bar}${space} ${percent} ${figures}`, columns - 1).trimEnd();
}

function drawBar(share: number, width: number): string {
  const full = Math.round(share * width);
  const head = full > 0 && full < width ? ">" : "";
  return `[${"=".repeat(full - head.length)}${head}${" ".repeat(width - full)}]`;
}

/** "0:07", "12:34", "1:02:03", "3d 4h". */
function clock(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  if (days > 99) return "long";
  if (days > 0) return `${days}d ${hours % 24}h`;
  const two = (value: number): string => String(value % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

const leastBar = 8;
const mostBar = 40;
