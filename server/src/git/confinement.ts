import type { Paths } from "../files/place.ts";
import { PermissionDenied } from "../util/errors.ts";
import type { GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";

/** Where paths are confined: refuses a directory whose repository, a `.git` file's target say, lies outside. */
export async function checkConfinement(
  git: GitReader,
  paths: Paths,
  directory: GitDirectory,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!paths.isConfined) return;
  const args = ["rev-parse", "--absolute-git-dir", "--path-format=absolute", "--git-common-dir", "--show-toplevel"];
  const { stdout } = await git.run({ args, directory, signal });
  // In a repository without files the last one is missing; outside of any, all are, and git says so where it matters.
  const places = stdout.toString("latin1").split("\n").slice(0, -1);
  if (places.length > 3) throw outside(directory);
  for (const place of places) {
    await paths.locate(Buffer.from(place, "latin1"), { follow: "yes" }, () => Promise.resolve());
  }
}

function outside({ realPath }: GitDirectory): PermissionDenied {
  const subject = realPath.toString("utf8");
  return new PermissionDenied("PATH_OUTSIDE_ROOT", `The repository's own path cannot be checked: ${subject}`, {
    subject,
  });
}
