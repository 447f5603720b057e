import type { Workspace as AnyWorkspace } from "@yonder/client";

// What the pages' programs presume, in words beside them: everything else they must declare themselves.
declare global {
  /** A workspace that is connected. */
  const workspace: AnyWorkspace;
  /** The workspace's API key. */
  const apiKey: string;
  /** Tokens of git providers. */
  const token: string;
  const github: string;
  const gitlab: string;
  /** An id that the caller has for a command already. */
  const toolCallId: string;
  /** Where the server is. */
  const host: string;
}
