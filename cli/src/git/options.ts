import { value } from "../frame/verb.ts";

/** Where the repository is, of all verbs of git. */
export const repositoryOption = value("-C, --directory <path>", "A directory of the repository; the workspace's", {
  completes: "remote-path",
});
