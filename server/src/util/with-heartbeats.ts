/** What comes from the source, and a heartbeat whenever nothing came for so long. */
export async function* withHeartbeats<T, H>(
  source: AsyncGenerator<T>,
  silentMs: number,
  heartbeat: H,
): AsyncGenerator<T | H> {
  try {
    for (;;) {
      const next = source.next();
      // One that fails while nobody waits for it is told at the next turn, or to nobody where the reader has gone.
      next.catch(() => {});
      while (await isSilent(next, silentMs)) yield heartbeat;
      const { done, value } = await next;
      if (done === true) return;
      yield value;
    }
  } finally {
    await source.return(undefined);
  }
}

/** Whether the promise is still open when the time is over. */
async function isSilent(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, ms, true)));
  try {
    return await Promise.race([
      timeout,
      promise.then(
        () => false,
        () => false,
      ),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
