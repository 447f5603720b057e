/** How to come back to a command, or to end it. */
export function whatRunsOn(execId: string): string {
  return `the command runs on: \`yonder attach ${execId}\` comes back to it, \`yonder kill ${execId}\` ends it`;
}

/** The same where it is not known whether it has ended. */
export function whatMayRunOn(execId: string): string {
  return `the command may run on: \`yonder logs ${execId}\` has what it printed, \`yonder kill ${execId}\` ends it`;
}
