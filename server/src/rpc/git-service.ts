import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  CheckoutRequestSchema,
  CloneRepositoryRequestSchema,
  CommitRequestSchema,
  ExecDisposition,
  FetchRequestSchema,
  PullRequestSchema,
  PushRequestSchema,
  type GitProgressSchema,
  type GitService,
  type GitStartedSchema,
} from "@yonder/proto";
import type { Git, GitOperation } from "../git/git.ts";
import { pathText } from "../util/path-text.ts";
import {
  expectedInstanceField,
  invalidField,
  missingField,
  pathField,
  sizeField,
  textField,
  tokenField,
} from "./fields.ts";
import {
  branchMessage,
  changeMessage,
  commitMessage,
  comparisonMessage,
  diffMessage,
  progressMessage,
  statusEntryMessage,
  underwayValue,
  updatesMessage,
} from "./git-messages.ts";
import {
  commitsStart,
  commitsToken,
  directoryField,
  optionalText,
  pageField,
  pathListField,
  personField,
  pullStrategy,
  pushForce,
  refFields,
  remoteCall,
  requestIdentity,
  timeoutField,
} from "./git-request.ts";
import type { Identity } from "./identity.ts";

const USUAL_PAGE = 1_000;
const USUAL_COMMITS = 100;
const MOST_COMPARISONS = 200;
const USUAL_CONTEXT = 3;
const COUNT = { min: 0, max: Number.MAX_SAFE_INTEGER };

type Context = Pick<HandlerContext, "signal">;
type OperationMessage<Result> =
  | { case: "started"; value: MessageInitShape<typeof GitStartedSchema> }
  | { case: "progress"; value: MessageInitShape<typeof GitProgressSchema> }
  | { case: "heartbeat"; value: object }
  | { case: "result"; value: Result };

/** GitService over the domain: reads requests, writes replies, decides nothing. */
export function createGitService(git: Git, identity: Identity): ServiceImpl<typeof GitService> {
  const { limits } = git;
  const mustBeMeant = ({ expectedInstanceId }: { expectedInstanceId: string }): void =>
    expectedInstanceField(expectedInstanceId, identity);

  async function* stream<Result, Message>(
    operation: GitOperation<Result>,
    resultMessage: (result: Result) => Message,
    { signal }: Context,
  ): AsyncGenerator<{ event: OperationMessage<Message> }> {
    const disposition = operation.isNew ? ExecDisposition.CREATED : ExecDisposition.JOINED;
    const { instanceId } = identity;
    yield { event: { case: "started", value: { requestId: operation.id, disposition, instanceId } } };
    for await (const event of operation.events(signal, limits.heartbeatIntervalMs)) {
      switch (event.type) {
        case "progress":
          yield { event: { case: "progress", value: progressMessage(event.progress) } };
          break;
        case "heartbeat":
          yield { event: { case: "heartbeat", value: {} } };
          break;
        case "result":
          yield { event: { case: "result", value: resultMessage(event.result) } };
          break;
      }
    }
  }

  return {
    async listChanges(request, { signal }) {
      const question = {
        path: directoryField(request),
        ...refFields(request),
        withNested: !request.withoutNested,
        signal,
      };
      const page = await git.listChanges(question, pageField(request, USUAL_PAGE, limits.maxGitPageSize));
      return {
        changes: page.items.map(changeMessage),
        nextPageToken: page.nextToken,
        comparisons: page.isFirst ? page.answer.comparisons.slice(0, MOST_COMPARISONS).map(comparisonMessage) : [],
      };
    },

    async getDiff(request, { signal }) {
      const path = pathField("path", request.path, request.rawPath);
      if (path === undefined) throw missingField("path");
      const contextLines = sizeField("context_lines", request.contextLines ?? USUAL_CONTEXT, { min: 0, max: 10_000 });
      const offset = sizeField("offset", request.offset, COUNT);
      const question = { path, ...refFields(request), contextLines, signal };
      const { answer, part } = await git.getDiff(question, offset, request.etag);
      return diffMessage(answer, part);
    },

    async getStatus(request, { signal }) {
      const question = { path: directoryField(request), includeIgnored: request.includeIgnored, signal };
      const { answer, items, nextToken } = await git.getStatus(
        question,
        pageField(request, USUAL_PAGE, limits.maxGitPageSize),
      );
      const topLevel = pathText(answer.topLevel);
      return {
        branch: answer.branch,
        headId: answer.headId,
        upstream: answer.upstream,
        ahead: answer.ahead,
        behind: answer.behind,
        underway: underwayValue(answer.underway),
        topLevel: topLevel.text,
        rawTopLevel: topLevel.bytes,
        entries: items.map(statusEntryMessage),
        nextPageToken: nextToken,
      };
    },

    async listCommits(request, { signal }) {
      const { changedPath } = request;
      const { commits, start, hasMore } = await git.listCommits({
        path: directoryField(request),
        revision: optionalText("revision", request.revision),
        changedPath: changedPath && pathField("changed_path.path", changedPath.path, changedPath.rawPath),
        start: commitsStart(request.pageToken),
        count: pageField(request, USUAL_COMMITS, limits.maxPageSize).size,
        signal,
      });
      const next = { tips: start.tips, skip: start.skip + commits.length };
      return { commits: commits.map(commitMessage), nextPageToken: hasMore ? commitsToken(next) : "" };
    },

    async listBranches(request, { signal }) {
      const question = { path: directoryField(request), includeRemote: request.includeRemote, signal };
      const { items, nextToken } = await git.listBranches(question, pageField(request, USUAL_PAGE, limits.maxPageSize));
      return { branches: items.map(branchMessage), nextPageToken: nextToken };
    },

    async *cloneRepository(request, context) {
      mustBeMeant(request);
      const task = {
        url: textField("url", request.url),
        path: pathField("path", request.path, request.rawPath),
        revision: optionalText("revision", request.revision),
        depth: sizeField("depth", request.depth, COUNT),
        singleBranch: request.singleBranch,
        recurseSubmodules: request.recurseSubmodules,
      };
      const id = requestIdentity(CloneRepositoryRequestSchema, request);
      yield* stream(
        git.clone(id, task, remoteCall(request, limits)),
        ({ path, id, branch }) => {
          const { text, bytes } = pathText(path);
          return { path: text, rawPath: bytes, headId: id, branch };
        },
        context,
      );
    },

    async commit(request) {
      mustBeMeant(request);
      if (request.stageAll && request.paths.length > 0) throw invalidField("stage_all", "and paths cannot both be set");
      const task = {
        path: directoryField(request),
        message: textField("message", request.message),
        paths: pathListField("paths", request.paths),
        stageAll: request.stageAll,
        author: personField("author", request.author),
        committer: personField("committer", request.committer),
        allowEmpty: request.allowEmpty,
        amend: request.amend,
      };
      const conduct = { runHooks: request.runHooks, timeoutMs: timeoutField(request.timeout, limits) };
      const { commit, branch } = await git.commit(requestIdentity(CommitRequestSchema, request), task, conduct);
      return { commit: commitMessage(commit), branch };
    },

    async checkout(request) {
      mustBeMeant(request);
      const task = {
        path: directoryField(request),
        revision: textField("revision", request.revision),
        newBranch: textField("new_branch", request.newBranch),
        detach: request.detach,
        force: request.force,
        paths: pathListField("paths", request.paths),
      };
      const conduct = { runHooks: request.runHooks, timeoutMs: timeoutField(request.timeout, limits) };
      const { id, branch } = await git.checkout(requestIdentity(CheckoutRequestSchema, request), task, conduct);
      return { headId: id, branch };
    },

    async *fetch(request, context) {
      mustBeMeant(request);
      const task = {
        path: directoryField(request),
        remote: textField("remote", request.remote),
        refspecs: request.refspecs,
        prune: request.prune,
        tags: request.tags,
        depth: sizeField("depth", request.depth, COUNT),
        unshallow: request.unshallow,
      };
      const id = requestIdentity(FetchRequestSchema, request);
      yield* stream(git.fetch(id, task, remoteCall(request, limits)), updatesMessage, context);
    },

    async *pull(request, context) {
      mustBeMeant(request);
      const task = {
        path: directoryField(request),
        remote: textField("remote", request.remote),
        remoteBranch: textField("remote_branch", request.remoteBranch),
        strategy: pullStrategy(request.strategy),
      };
      const id = requestIdentity(PullRequestSchema, request);
      yield* stream(
        git.pull(id, task, remoteCall(request, limits)),
        ({ oldId, id: headId, branch }) => ({ oldHeadId: oldId, headId, branch }),
        context,
      );
    },

    async *push(request, context) {
      mustBeMeant(request);
      const task = {
        path: directoryField(request),
        remote: textField("remote", request.remote),
        refspecs: request.refspecs,
        setUpstream: request.setUpstream,
        tags: request.tags,
        force: pushForce(request.force),
      };
      const id = requestIdentity(PushRequestSchema, request);
      yield* stream(git.push(id, task, remoteCall(request, limits)), updatesMessage, context);
    },

    async cancelOperation(request) {
      mustBeMeant(request);
      const requestId = tokenField("request_id", request.requestId);
      if (requestId === "") throw missingField("request_id");
      return { cancelled: await git.cancel(requestId) };
    },
  };
}
