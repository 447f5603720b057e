/** Waits; for what has no event to wait for. */
export async function tick(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
