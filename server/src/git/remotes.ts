import { InvalidRequest, NotFound } from "../util/errors.ts";
import type { GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { splitNul } from "./raw-diff.ts";
import { readFailure } from "./read-failure.ts";
import { parseRemoteUrl, type RemoteUrl } from "./remote-url.ts";

export interface Remote {
  readonly name: string;
  /** Undefined where it is none that credentials could be for. */
  readonly url: RemoteUrl | undefined;
}

/**
 * The remote that is meant, which must be one of the repository's: a URL would reach where nobody configured it to.
 *
 * @param asked empty: the one that the current branch follows or is pushed to, or origin
 */
export async function findRemote(
  git: GitReader,
  directory: GitDirectory,
  asked: string,
  direction: "fetch" | "push",
  signal: AbortSignal | undefined,
): Promise<Remote> {
  const name = asked === "" ? await usualRemote(git, directory, direction, signal) : asked;
  if (name.startsWith("-"))
    throw new InvalidRequest("INVALID_FIELD", "remote begins with a dash", { subject: "remote" });
  // The branch follows one of the same repository.
  if (name === ".") return { name, url: undefined };
  const args = ["remote", "get-url", ...(direction === "push" ? ["--push"] : []), "--", name];
  const output = await git.run({ args, directory, signal });
  if (output.exitCode !== 0) {
    if (!/No such remote/i.test(output.stderr)) throw readFailure(output, directory);
    throw new NotFound("REMOTE_NOT_FOUND", `The repository has no remote of the name ${name}`, { subject: name });
  }
  return { name, url: urlOf(output.stdout.toString("utf8").trimEnd()) };
}

/** Configured by somebody else: what we would not clone from may still be fetched from. */
function urlOf(text: string): RemoteUrl | undefined {
  try {
    return parseRemoteUrl(text);
  } catch {
    return undefined;
  }
}

async function usualRemote(
  git: GitReader,
  directory: GitDirectory,
  direction: "fetch" | "push",
  signal: AbortSignal | undefined,
): Promise<string> {
  const [symbolic, configured] = await Promise.all([
    git.run({ args: ["symbolic-ref", "-q", "--short", "HEAD"], directory, signal }),
    git.run({ args: ["config", "-z", "--get-regexp", "^(branch|remote)\\."], directory, signal }),
  ]);
  if (symbolic.exitCode > 1) throw readFailure(symbolic, directory);
  const branch = symbolic.stdout.toString("utf8").trim();
  const values = new Map<string, string>();
  for (const entry of splitNul(configured.stdout)) {
    const [key = "", ...value] = entry.toString("utf8").split("\n");
    values.set(key, value.join("\n"));
  }
  const follows = values.get(`branch.${branch}.remote`);
  const pushes = values.get(`branch.${branch}.pushremote`) ?? values.get("remote.pushdefault");
  return (direction === "push" ? (pushes ?? follows) : follows) ?? "origin";
}

/** What may stand where git reads a name: no option. */
export function checkName(field: string, name: string): string {
  // oxlint-disable-next-line no-control-regex
  if (name === "" || name.startsWith("-") || /[\0-\x1f\x7f]/.test(name)) {
    throw new InvalidRequest("INVALID_FIELD", `${field} is no name of git's: ${JSON.stringify(name)}`, {
      subject: field,
    });
  }
  return name;
}
