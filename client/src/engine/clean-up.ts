/**
 * Cleans up after a failure, and throws that: it is what the caller has to know. What the clean-up itself fails with, after
 * which something may have stayed, becomes one of its causes.
 */
export async function failAfter(cleanUp: () => Promise<void>, failure: unknown): Promise<never> {
  await cleanUp().catch((error: unknown) => {
    if (!(failure instanceof Error)) return;
    const causes = failure.cause === undefined ? [error] : [failure.cause, error];
    failure.cause = new AggregateError(causes, "cleaning up failed, too");
  });
  throw failure;
}
