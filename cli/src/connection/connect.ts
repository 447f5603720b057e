import type { RemoteWorkspace, RemoteWorkspaceOptions } from "@yonder/client";
import { isYonderError } from "../frame/failure.ts";
import type { ConnectionOptions } from "../frame/verb.ts";
import { choose } from "./choose.ts";

/**
 * Connects to the workspace that is meant. Where the server wants a key and none is known, the terminal, if there is
 * one, is asked for it.
 */
export async function connect(
  given: ConnectionOptions,
  more: Partial<RemoteWorkspaceOptions> = {},
): Promise<RemoteWorkspace> {
  const { options } = choose(given);
  const { RemoteWorkspace } = await import("@yonder/client");
  try {
    return await RemoteWorkspace.connect({ ...options, ...more });
  } catch (error) {
    if (options.apiKey !== undefined || !isYonderError(error) || error.reason !== "CREDENTIALS_MISSING") throw error;
    const { askForKey } = await import("./ask-for-key.ts");
    const apiKey = await askForKey(options.host);
    if (apiKey === undefined) throw error;
    return await RemoteWorkspace.connect({ ...options, ...more, apiKey });
  }
}
