import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  ExecState,
  OutputStream,
  SignalTarget,
  StartExecResponseSchema,
  type AttachRequest,
  type ExecEventSchema,
  type ExecRequest,
  type ExecService,
} from "@yonder/proto";
import type { StreamStart } from "../exec/event-stream.ts";
import type { Exec } from "../exec/exec.ts";
import type { ExecEngine, OpenedExec } from "../exec/exec-engine.ts";
import { parseSignal } from "../exec/process/signals.ts";
import { readLines, readOutput } from "../exec/read-output.ts";
import { RememberedAnswers } from "../util/remembered-answers.ts";
import {
  dispositionValue,
  endedMessage,
  eventMessage,
  execMessage,
  lostMessage,
  outputMessage,
  streamValue,
} from "./exec-messages.ts";
import { execSpec, TERMINAL_CELLS } from "./exec-request.ts";
import {
  cursorField,
  execIdField,
  expectedInstanceField,
  invalidField,
  missingField,
  sizeField,
  tokenField,
  waitField,
} from "./fields.ts";
import type { Identity } from "./identity.ts";
import { lineFilterOptions } from "./line-filter-field.ts";
import { pageOf, pageToken } from "./pages.ts";

const DEFAULT_PAGE_SIZE = 100;

type Event = { event: MessageInitShape<typeof ExecEventSchema> };
type Context = Pick<HandlerContext, "signal">;

/** ExecService over the engine: reads requests, writes replies, decides nothing. */
export function createExecService(engine: ExecEngine, identity: Identity): ServiceImpl<typeof ExecService> {
  const { limits } = engine;
  const signals = new RememberedAnswers({
    retentionMs: limits.requestRetentionMs,
    maxAnswers: limits.maxRememberedRequests,
  });
  const find = (id: string): Exec => engine.get(execIdField("exec_id", id));
  const mustBeMeant = ({ expectedInstanceId }: { expectedInstanceId: string }): void =>
    expectedInstanceField(expectedInstanceId, identity);

  function start(request: ExecRequest): ReturnType<ExecEngine["start"]> {
    mustBeMeant(request);
    if (request.execId !== "") execIdField("exec_id", request.execId);
    return engine.start(request.execId, execSpec(request, limits));
  }

  async function* stream(
    open: () => Promise<OpenedExec>,
    readerId: string,
    { signal }: Context,
  ): AsyncGenerator<Event> {
    for await (const { exec, event } of engine.read(open, { readerId, signal })) {
      yield { event: eventMessage(event, exec.identity, identity.instanceId) };
    }
  }

  return {
    async *exec(request, context) {
      const readerId = tokenField("reader_id", request.readerId);
      const open = async (): Promise<OpenedExec> => ({ ...(await start(request)), start: { at: "cursor", cursor: 0 } });
      yield* stream(open, readerId, context);
    },

    async startExec({ exec: request }) {
      if (request === undefined) throw missingField("exec");
      const { exec, disposition } = await start(request);
      return create(StartExecResponseSchema, {
        exec: execMessage(await exec.describe()),
        disposition: dispositionValue(disposition),
        instanceId: identity.instanceId,
      });
    },

    async *attach(request, context) {
      mustBeMeant(request);
      const readerId = tokenField("reader_id", request.readerId);
      const exec = find(request.execId);
      const opened = { exec, start: streamStart(request, exec), disposition: "JOINED" } as const;
      yield* stream(async () => opened, readerId, context);
    },

    async getExec(request, { signal }) {
      const exec = find(request.execId);
      await exec.waitForEnd(waitField("wait", request.wait, limits.maxWaitMs), signal);
      return { exec: execMessage(await exec.describe()), instanceId: identity.instanceId };
    },

    async readOutput(request, { signal }) {
      const exec = find(request.execId);
      const query = {
        start:
          request.start.case === "tailBytes"
            ? { tailBytes: cursorField("tail_bytes", request.start.value) }
            : request.start.case === "cursor"
              ? { cursor: cursorField("cursor", request.start.value) }
              : {},
        maxBytes: Math.min(sizeField("max_bytes", request.maxBytes, positive) || Infinity, limits.maxReadBytes),
        stream: request.stream === OutputStream.UNSPECIFIED ? undefined : streamName(request.stream),
        waitMs: waitField("wait", request.wait, limits.maxWaitMs),
        signal,
      };
      const filter = lineFilterOptions(request.lineFilter);
      const page = filter === undefined ? await readOutput(exec, query) : await readLines(exec, query, filter);
      return {
        output: page.chunks.map(outputMessage),
        lines: page.lines.map((line) => ({ ...line, cursor: BigInt(line.cursor), stream: streamValue(line.stream) })),
        ...(page.lost === undefined ? {} : { lost: lostMessage(page.lost) }),
        nextCursor: BigInt(page.nextCursor),
        endCursor: BigInt(page.endCursor),
        truncated: page.truncated,
        ...(page.ended === undefined ? {} : { ended: endedMessage(page.ended) }),
      };
    },

    async listExecs(request) {
      const pageSize = sizeField("page_size", request.pageSize, positive) || DEFAULT_PAGE_SIZE;
      const { execs, hasMore } = engine.list({
        labels: request.labels,
        state: stateName(request.state),
        before: pageOf(request.pageToken),
        pageSize: Math.min(pageSize, limits.maxPageSize),
      });
      const last = execs.at(-1);
      return {
        execs: (await Promise.all(execs.map((exec) => exec.describe()))).map(execMessage),
        nextPageToken: hasMore && last !== undefined ? pageToken(last.identity.sequence) : "",
      };
    },

    async writeStdin(request, { signal }) {
      mustBeMeant(request);
      const stdin = find(request.execId).mustTakeStdin();
      const offset = cursorField("offset", request.offset);
      return { offset: BigInt(await stdin.write(offset, request.data, request.eof, signal)) };
    },

    async sendSignal(request) {
      mustBeMeant(request);
      const exec = find(request.execId);
      if (request.signal === "") throw missingField("signal");
      const signal = parseSignal(request.signal);
      const target = targetName(request.target);
      const requestId = tokenField("request_id", request.requestId);
      const fingerprint = `${request.execId} ${signal} ${target}`;
      const count = await signals.once("SendSignal", requestId, fingerprint, () => exec.signal(signal, target));
      return { signalledProcesses: count };
    },

    async resizeTerminal(request) {
      mustBeMeant(request);
      const exec = find(request.execId);
      const view = exec.mustHaveTerminal();
      exec.mustRun();
      const columns = sizeField("columns", request.columns, TERMINAL_CELLS);
      const rows = sizeField("rows", request.rows, TERMINAL_CELLS);
      const applied = view.resize(columns, rows, tokenField("reader_id", request.readerId), request.takeOwnership);
      return { columns: view.size.columns, rows: view.size.rows, applied };
    },
  };
}

const positive = { min: 0, max: Number.MAX_SAFE_INTEGER };

function streamStart({ start }: AttachRequest, exec: Exec): StreamStart {
  switch (start.case) {
    case "cursor":
      return { at: "cursor", cursor: cursorField("cursor", start.value) };
    case "tailBytes":
      return { at: "tail", bytes: cursorField("tail_bytes", start.value) };
    case "live":
      if (!start.value) throw invalidField("live", "must be true where it is set");
      return { at: "live" };
    case "screen":
      if (!start.value) throw invalidField("screen", "must be true where it is set");
      exec.mustHaveTerminal();
      return { at: "screen" };
    default:
      return { at: exec.terminalView === undefined ? "oldest" : "screen" };
  }
}

function streamName(stream: OutputStream): "stdout" | "stderr" {
  if (stream === OutputStream.STDOUT) return "stdout";
  if (stream === OutputStream.STDERR) return "stderr";
  throw invalidField("stream", `has the unknown value ${stream as number}`);
}

function stateName(state: ExecState): "running" | "ended" | undefined {
  if (state === ExecState.UNSPECIFIED) return undefined;
  if (state === ExecState.RUNNING) return "running";
  if (state === ExecState.ENDED) return "ended";
  throw invalidField("state", `has the unknown value ${state as number}`);
}

function targetName(target: SignalTarget): "tree" | "group" | "process" {
  switch (target) {
    case SignalTarget.UNSPECIFIED:
    case SignalTarget.TREE:
      return "tree";
    case SignalTarget.GROUP:
      return "group";
    case SignalTarget.PROCESS:
      return "process";
    default:
      throw invalidField("target", `has the unknown value ${target as number}`);
  }
}
