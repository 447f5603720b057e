/** Aborts on Ctrl-C and SIGTERM, so that what was started is stopped before the command ends. */
export function abortOnSignal(): AbortSignal {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      process.exitCode = 130;
      abort.abort(new Error(`interrupted by ${name}`));
    });
  }
  return abort.signal;
}
