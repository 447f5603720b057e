import { pathText } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";
import type { Limits } from "../util/limits.ts";
import { checkConfinement } from "./confinement.ts";
import { withCredentials } from "./credential-session.ts";
import { bindCredentials, secretsOf, type Credentials } from "./credentials.ts";
import { withGitDirectory, type GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { readFailure } from "./read-failure.ts";
import type { Progress } from "./progress.ts";
import { redact } from "./redact.ts";
import type { RemoteUrl } from "./remote-url.ts";
import { resolveCommits } from "./resolve-commits.ts";
import { verbFailure } from "./verb-failure.ts";
import { runVerb, type Verb, type VerbOutput } from "./verb-runner.ts";

/** What every acting call needs. */
export interface VerbTools {
  readonly git: GitReader;
  readonly paths: Paths;
  readonly limits: Limits;
  /** The directories that are being cloned into. */
  readonly cloneTargets: Set<string>;
}

/** How an acting call is to run. */
export interface VerbConduct {
  readonly runHooks: boolean;
  /** Undefined: the limit. */
  readonly timeoutMs: number | undefined;
  /** Ends git; its reason is what the call then throws. */
  readonly signal: AbortSignal | undefined;
}

export interface RemoteConduct extends VerbConduct {
  readonly credentials: readonly Credentials[];
  readonly onProgress: (progress: Progress) => void;
}

export interface Head {
  readonly id: string;
  /** Empty: HEAD is on none. */
  readonly branch: string;
}

/** Runs `act` in a directory of a repository. */
export async function inRepository<T>(
  { git, paths }: VerbTools,
  path: PathBytes,
  signal: AbortSignal | undefined,
  act: (directory: GitDirectory) => Promise<T>,
): Promise<T> {
  return await withGitDirectory(paths, path, async (directory) => {
    await checkConfinement(git, paths, directory, signal);
    return await act(directory);
  });
}

type VerbInput = Pick<Verb, "args" | "stdin" | "settings" | "variables">;

/** Runs a verb on this machine alone; throws what its failure means. */
export async function runLocally(
  { limits }: VerbTools,
  directory: GitDirectory,
  { runHooks, timeoutMs, signal }: VerbConduct,
  input: VerbInput,
): Promise<VerbOutput> {
  const verb = { ...input, directory, runHooks, signal, timeoutMs: timeoutMs ?? limits.gitTimeoutMs };
  const output = await runVerb({ ...verb, maxOutputBytes: limits.maxGitOutputBytes });
  if (output.exitCode === 0) return output;
  throw verbFailure(output, { directory: pathText(directory.realPath) });
}

/** Runs a verb that talks to a remote, with the call's secrets within reach. */
export async function runWithRemote(
  { limits }: VerbTools,
  directory: GitDirectory,
  remote: { readonly name: string; readonly url: RemoteUrl | undefined },
  conduct: RemoteConduct,
  input: VerbInput,
  isFine: (output: VerbOutput) => boolean = ({ exitCode }) => exitCode === 0,
): Promise<VerbOutput> {
  const { credentials, runHooks, timeoutMs, signal } = conduct;
  const secrets = secretsOf(credentials);
  const onProgress = (progress: Progress): void =>
    conduct.onProgress({ ...progress, detail: redact(progress.detail, secrets) });
  return await withCredentials(bindCredentials(credentials, remote.url), remote.url, async (session) => {
    const output = await runVerb({
      ...input,
      directory,
      runHooks,
      signal,
      onProgress,
      timeoutMs: timeoutMs ?? limits.gitTimeoutMs,
      maxOutputBytes: limits.maxGitOutputBytes,
      settings: [...(input.settings ?? []), ...session.settings],
      variables: { ...input.variables, ...session.variables },
    });
    if (isFine(output)) return output;
    throw verbFailure(output, { directory: pathText(directory.realPath), remote: remote.name, secrets });
  });
}

/** Where HEAD is; both empty where there is no commit and no branch. */
export async function readHead({ git }: VerbTools, directory: GitDirectory): Promise<Head> {
  const [symbolic, [id]] = await Promise.all([
    git.run({ args: ["symbolic-ref", "-q", "HEAD"], directory }),
    resolveCommits(git, directory, ["HEAD"], undefined),
  ]);
  if (symbolic.exitCode > 1) throw readFailure(symbolic, directory);
  const branch = symbolic.stdout.toString("utf8").trim();
  return { id: id ?? "", branch: branch.replace(/^refs\/heads\//, "") };
}
