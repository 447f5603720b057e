import { describeError } from "../frame/failure.ts";
import { ownFailure } from "../frame/exits.ts";
import { writeError } from "../output/write.ts";

/**
 * Does something with each of several files. What the file system says of one is told, and stops none of the others;
 * resolves to the exit code.
 */
export async function forEach<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<number> {
  let exitCode = 0;
  for (const item of items) {
    try {
      await act(item);
    } catch (error) {
      if (items.length === 1 || !isOfFileSystem(error)) throw error;
      await writeError(`yonder: ${describeError(error)}\n`);
      exitCode = ownFailure;
    }
  }
  return exitCode;
}

/** "ENOENT" and its like: what one file has, and not the connection. */
function isOfFileSystem(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && /^E[A-Z]+$/.test(error.code);
}
