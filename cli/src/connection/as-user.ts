import type { RemoteWorkspaceOptions } from "@yonder/client";
import { value } from "../frame/verb.ts";

/** As whom it is, of verbs that work with files and repositories. */
export const userOption = value(
  "--user <user>",
  "The user to do it as: a name, uid or uid:gid, where the server may switch; what is made belongs to that user",
);

/** What `connect` takes for it. */
export function asUser(user: string | undefined): Pick<RemoteWorkspaceOptions, "defaults"> {
  return { defaults: { user } };
}
