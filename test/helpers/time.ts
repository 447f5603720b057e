/** Waits; for what has no event to wait for. */
export async function tick(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** For `expect.poll`, whose own second is short on a machine with other things to do. */
export const patient = { timeout: 30_000 };
