import type { Workspace } from "../workspace.ts";
import { sendCompletion } from "./completion-callback.ts";

/**
 * Opens a workspace, hands it to `body`, and ends its scope whatever happens: what `await using` does, but here the
 * completion callback says FAILED where `open` or `body` rejects. (The end of an `await using` scope is not told why it
 * ends.)
 *
 * Resolves to what `body` resolves to, and rejects with what `open` or `body` rejects with, also where closing the
 * workspace fails then; only after a `body` that went well, what closing rejects with is thrown.
 */
export async function withWorkspace<W extends Workspace, T>(
  open: () => Promise<W>,
  body: (workspace: W) => Promise<T> | T,
): Promise<T> {
  const workspace = await opened(open);
  let result: T;
  try {
    result = await body(workspace);
  } catch (error) {
    workspace.registerFailure(error);
    try {
      await workspace[Symbol.asyncDispose]();
    } catch {
      // What `body` threw is what the caller has to know.
    }
    throw error;
  }
  await workspace[Symbol.asyncDispose]();
  return result;
}

async function opened<W>(open: () => Promise<W>): Promise<W> {
  try {
    return await open();
  } catch (error) {
    await sendCompletion({ failure: { error } });
    throw error;
  }
}
