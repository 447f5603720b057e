/** The exit codes of every verb. */
export const ownFailure = 255;
export const usageFailure = 2;

/** What they mean, for help and pages. */
export const exits: readonly (readonly [code: string, what: string])[] = [
  ["0", "it is done"],
  ["2", "the command line is wrong; nothing was done"],
  ["255", "it could not be done: a line on standard error says why, and what to do"],
];

/** As shells have it for a program that could not be started, by the reason that the server gives. */
export const exitCodeByReason: Readonly<Record<string, number>> = {
  PROGRAM_NOT_EXECUTABLE: 126,
  PROGRAM_NOT_FOUND: 127,
};

/** As shells have it for a program that a signal ended: 130 for SIGINT. */
export function exitCodeOfSignal(number: number): number {
  return 128 + number;
}

/** The exit code of a program whose output nobody reads any more: that of SIGPIPE. */
export const brokenPipe = exitCodeOfSignal(13);
