import type { RemoteWorkspace, RemoteWorkspaceOptions } from "@yonder/client";
import { Failure, isYonderError } from "../frame/failure.ts";
import type { ConnectionOptions } from "../frame/verb.ts";
import { choose } from "./choose.ts";
import type { Choice } from "./choose.ts";

/**
 * Connects to the workspace that is meant. Where the server wants a key and none is known, the terminal, if there is
 * one, is asked for it.
 */
export async function connect(
  given: ConnectionOptions,
  more: Partial<RemoteWorkspaceOptions> = {},
): Promise<RemoteWorkspace> {
  const choice = choose(given);
  const { RemoteWorkspace } = await import("@yonder/client");
  const open = async (options: RemoteWorkspaceOptions) => await RemoteWorkspace.connect({ ...options, ...more });
  try {
    return await open(choice.options);
  } catch (error) {
    if (choice.keyFrom !== undefined || !isYonderError(error) || error.reason !== "CREDENTIALS_MISSING") {
      throw inWordsOf(choice, error);
    }
    const { askForKey } = await import("./ask-for-key.ts");
    const apiKey = await askForKey(choice.options.host);
    if (apiKey === undefined) throw inWordsOf(choice, error);
    return await open({ ...choice.options, apiKey });
  }
}

/** Says where what is wrong was said: in a flag, a variable or the config file. */
function inWordsOf({ options: { host }, saidBy, keyFrom }: Choice, error: unknown): unknown {
  if (!isYonderError(error)) return error;
  if (error.reason === "INVALID_FIELD" && error.subject === "host") {
    return new Failure(`${saidBy}: ${error.message}`, { cause: error });
  }
  if (error.reason === "INVALID_FIELD" && error.subject === "apiKey" && keyFrom !== undefined) {
    return new Failure(error.message.replace("apiKey", `the key of ${keyFrom}`), { cause: error });
  }
  if (error.reason === "CREDENTIALS_MISSING")
    return new Failure(`${host} wants a key: ${waysToGiveAKey}`, { cause: error });
  if (error.reason === "CREDENTIALS_INVALID" && keyFrom !== undefined) {
    return new Failure(`${host} does not take the key of ${keyFrom}: ask whoever runs the server`, { cause: error });
  }
  return error;
}

const waysToGiveAKey =
  "put it into a file and the file's path into YONDER_API_KEY_FILE, or itself into YONDER_API_KEY or a profile, or " +
  "run this on a terminal to be asked for it";
