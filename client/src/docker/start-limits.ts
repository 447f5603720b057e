import { AbortError, StartFailed } from "../errors.ts";
import type { DockerWorkspaceOptions } from "./docker-options.ts";

const startMs = 600_000;

/** Runs a start that is given up, and undone by whoever runs it, when its time is up or the caller says so. */
export async function startLimited<T>(
  { startTimeoutMs = startMs, signal: given }: Pick<DockerWorkspaceOptions, "startTimeoutMs" | "signal">,
  start: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(startTimeoutMs);
  const signal = given === undefined ? limit : AbortSignal.any([given, limit]);
  try {
    signal.throwIfAborted();
    return await start(signal);
  } catch (error) {
    if (given?.aborted) throw new AbortError("the start of the workspace was aborted", { cause: given.reason });
    if (!limit.aborted) throw error;
    throw new StartFailed(`the workspace did not start within ${startTimeoutMs} ms; nothing of it is left`, {
      reason: "START_TIMED_OUT",
      subject: "startTimeoutMs",
      log: [],
      retryable: true,
      remedy: "Give it more time with startTimeoutMs; getting the image counts.",
      cause: error,
    });
  }
}
