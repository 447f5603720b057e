import { onTestFinished } from "vitest";
import { RemoteWorkspace } from "../../client/src/index.ts";
import type { RemoteWorkspaceOptions } from "../../client/src/index.ts";

/** Connects with delays that fit a test, and closes the workspace when the test is over. */
export async function connect(options: RemoteWorkspaceOptions): Promise<RemoteWorkspace> {
  const retry = { initialDelayMs: 1, maxDelayMs: 20, maxElapsedMs: 20_000, ...options.retry };
  const workspace = await RemoteWorkspace.connect({ ...options, retry });
  onTestFinished(() => workspace.close());
  return workspace;
}
