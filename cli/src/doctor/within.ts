/** What the promise resolves to, or an ETIMEDOUT that says who did not answer. */
export async function within<T>(timeoutMs: number, who: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut(who, timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(who: string, timeoutMs: number): Error {
  return Object.assign(new Error(`no answer of ${who} within ${timeoutMs} ms`), { code: "ETIMEDOUT" });
}
