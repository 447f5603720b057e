import type { Paths } from "../files/place.ts";
import { Unavailable } from "../util/errors.ts";
import type { Limits } from "../util/limits.ts";
import { Operations, type OperationRun, type StartedOperation } from "../util/operations.ts";
import { RememberedAnswers } from "../util/remembered-answers.ts";
import { toolVersion, type ToolVersion } from "../util/tool-version.ts";
import { checkout, type CheckoutTask } from "./checkout.ts";
import { clone, type CloneResult, type CloneTask } from "./clone.ts";
import { commit, type CommitTask } from "./commit.ts";
import type { Credentials } from "./credentials.ts";
import { cutDiff, type DiffPart } from "./diff-part.ts";
import { fetch, type FetchTask, type RefUpdate } from "./fetch.ts";
import { getDiff, type DiffAnswer, type DiffQuestion } from "./get-diff.ts";
import { getStatus, type StatusAnswer, type StatusEntry, type StatusQuestion } from "./get-status.ts";
import { readEnvironment } from "./git-environment.ts";
import { GitReader } from "./git-reader.ts";
import { KeptDiffs } from "./kept-diffs.ts";
import { listBranches, type BranchesQuestion, type Branch } from "./list-branches.ts";
import { listChanges, type ChangesAnswer, type ChangesQuestion } from "./list-changes.ts";
import { listCommits, type Commit, type CommitsAnswer, type CommitsQuestion } from "./list-commits.ts";
import type { Progress } from "./progress.ts";
import { pull, type PullResult, type PullTask } from "./pull.ts";
import { push, type PushTask } from "./push.ts";
import type { Change } from "./raw-diff.ts";
import { Snapshots, type Page, type PageRequest } from "./snapshots.ts";
import type { Head, RemoteConduct, VerbConduct, VerbTools } from "./verb-context.ts";

export interface GitOptions {
  readonly paths: Paths;
  readonly limits: Limits;
}

/** How a request is told from others, so that the same one is not done twice. */
export interface RequestIdentity {
  /** Empty: there is none. */
  readonly id: string;
  /** Equal for equal requests. */
  readonly fingerprint: string;
}

/** How an acting call runs; nothing in it ends with the call. */
export interface Conduct {
  readonly runHooks: boolean;
  readonly timeoutMs: number | undefined;
}

export interface RemoteCall extends Conduct {
  readonly credentials: readonly Credentials[];
}

export type GitOperation<Result> = StartedOperation<Progress, Result>;
type PageOptions = Omit<PageRequest, "question">;

/** The repositories of a workspace. */
export class Git {
  readonly limits: Limits;
  readonly #tools: VerbTools;
  readonly #snapshots = new Snapshots();
  readonly #diffs = new KeptDiffs();
  readonly #answers: RememberedAnswers;
  readonly #operations: Operations;
  /** Ends what runs without an operation when the server stops. */
  readonly #stop = new AbortController();
  readonly #acting = new Set<Promise<unknown>>();

  constructor({ paths, limits }: GitOptions) {
    this.limits = limits;
    this.#tools = { git: new GitReader(limits), paths, limits, cloneTargets: new Set() };
    const { requestRetentionMs: retentionMs, maxRememberedRequests: maxAnswers } = limits;
    this.#answers = new RememberedAnswers({ retentionMs, maxAnswers });
    const maxRunning = limits.maxGitOperations;
    this.#operations = new Operations({
      retentionMs,
      maxEnded: maxAnswers,
      maxRunning,
      limitName: "max_git_operations",
    });
  }

  listChanges(question: ChangesQuestion, page: PageOptions): Promise<Page<ChangesAnswer, Change>> {
    const { git, paths } = this.#tools;
    return this.#snapshots.page(
      { ...page, question: key("changes", question) },
      () => listChanges(git, paths, question),
      ({ changes }) => changes,
      ({ path }) => path,
    );
  }

  /** A diff, and the part of its texts that begins at `offset`; all parts of one etag show the same moment. */
  async getDiff(question: DiffQuestion, offset: number, etag: string): Promise<{ answer: DiffAnswer; part: DiffPart }> {
    const known = etag === "" ? undefined : this.#diffs.get(key(etag, question));
    const answer = known ?? (await getDiff(this.#tools.git, this.#tools.paths, question));
    const part = cutDiff(answer, offset, this.limits.maxDiffBytes, etag);
    const isMore = [part.original, part.modified, part.unifiedDiff].some((text) => text?.truncated === true);
    if (isMore) this.#diffs.keep(key(answer.etag, question), answer);
    return { answer, part };
  }

  getStatus(question: StatusQuestion, page: PageOptions): Promise<Page<StatusAnswer, StatusEntry>> {
    const { git, paths } = this.#tools;
    return this.#snapshots.page(
      { ...page, question: key("status", question) },
      () => getStatus(git, paths, question),
      ({ entries }) => entries,
      ({ path }) => path,
    );
  }

  listCommits(question: CommitsQuestion): Promise<CommitsAnswer> {
    return listCommits(this.#tools.git, this.#tools.paths, question);
  }

  listBranches(question: BranchesQuestion, page: PageOptions): Promise<Page<Branch[], Branch>> {
    const { git, paths } = this.#tools;
    return this.#snapshots.page(
      { ...page, question: key("branches", question) },
      () => listBranches(git, paths, question),
      (branches) => branches,
      ({ refName }) => Buffer.from(refName),
    );
  }

  commit(request: RequestIdentity, task: CommitTask, conduct: Conduct): Promise<{ commit: Commit; branch: string }> {
    return this.#once("Commit", request, () => commit(this.#tools, task, this.#conduct(conduct)));
  }

  checkout(request: RequestIdentity, task: CheckoutTask, conduct: Conduct): Promise<Head> {
    return this.#once("Checkout", request, () => checkout(this.#tools, task, this.#conduct(conduct)));
  }

  clone(request: RequestIdentity, task: CloneTask, call: RemoteCall): GitOperation<CloneResult> {
    return this.#start(request, call, (conduct) => clone(this.#tools, task, conduct));
  }

  fetch(request: RequestIdentity, task: FetchTask, call: RemoteCall): GitOperation<RefUpdate[]> {
    return this.#start(request, call, (conduct) => fetch(this.#tools, task, conduct));
  }

  pull(request: RequestIdentity, task: PullTask, call: RemoteCall): GitOperation<PullResult> {
    return this.#start(request, call, (conduct) => pull(this.#tools, task, conduct));
  }

  push(request: RequestIdentity, task: PushTask, call: RemoteCall): GitOperation<RefUpdate[]> {
    return this.#start(request, call, (conduct) => push(this.#tools, task, conduct));
  }

  /** Ends an operation; answers whether it was running. */
  cancel(requestId: string): Promise<boolean> {
    return this.#operations.cancel(requestId);
  }

  /** Whether something is under way, also such as nobody waits for any more. */
  get isBusy(): boolean {
    return this.#answers.underway + this.#operations.running > 0;
  }

  /** The git that there is, or why there is none that runs. Never rejects. */
  diagnose(): Promise<ToolVersion> {
    return toolVersion("git", readEnvironment());
  }

  /** Takes no new work and ends what runs. */
  async stop(): Promise<void> {
    const reason = new Unavailable("SERVER_STOPPING", "The server is stopping");
    this.#stop.abort(reason);
    await Promise.allSettled([this.#operations.close(reason), ...this.#acting]);
    this.#snapshots.close();
    this.#diffs.close();
  }

  #once<T>(scope: string, { id, fingerprint }: RequestIdentity, act: () => Promise<T>): Promise<T> {
    return this.#answers.once(scope, id, fingerprint, async () => {
      this.#stop.signal.throwIfAborted();
      const acting = act();
      this.#acting.add(acting);
      return await acting.finally(() => this.#acting.delete(acting));
    });
  }

  #conduct(conduct: Conduct): VerbConduct {
    return { ...conduct, signal: this.#stop.signal };
  }

  #start<Result>(
    { id, fingerprint }: RequestIdentity,
    call: RemoteCall,
    act: (conduct: RemoteConduct) => Promise<Result>,
  ): GitOperation<Result> {
    return this.#operations.start(id, fingerprint, ({ signal, report }: OperationRun<Progress>) =>
      act({ ...call, signal, onProgress: (progress) => report(progress.phase, progress) }),
    );
  }
}

/** What tells one question from another; who asks does not. */
function key(kind: string, question: { readonly path: Buffer; readonly signal: AbortSignal | undefined }): string {
  return JSON.stringify([kind, { ...question, path: question.path.toString("base64"), signal: undefined }]);
}
