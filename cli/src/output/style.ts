import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

/**
 * A text in colour where standard output (or `stream`) is a terminal that shows it: NO_COLOR, FORCE_COLOR and TERM=dumb
 * are honoured, and a pipe gets none.
 */
export function style(format: Format, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(format, text, { stream });
}
