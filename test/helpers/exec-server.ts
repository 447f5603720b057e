import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  ErrorDetailSchema,
  ErrorReason,
  ExecService,
  OutputStream,
  SignalTarget,
  WorkspaceService,
} from "@yonder/proto";
import type {
  AttachResponse,
  ErrorDetail,
  Exec,
  ExecEnded,
  ExecLost,
  ExecOutput,
  ExecRequest,
  ExecRequestSchema,
  ExecResponse,
  ExecStarted,
  ReadOutputRequest,
  ReadOutputResponse,
  TerminalScreen,
} from "@yonder/proto";
import { afterAll, beforeAll } from "vitest";
import { ServedWorkspace } from "./serve.ts";
import type { ServeOptions } from "./serve.ts";

export interface ExecServerOptions extends ServeOptions {
  /** Who the server is from its start on; only root can ask for another than itself. */
  readonly uid?: number;
}

/** What to run, without the wire's types around it. */
export type Request = Exclude<MessageInitShape<typeof ExecRequestSchema>, ExecRequest>;

/** What of it to read, and how. */
export type Read = Partial<Omit<ReadOutputRequest, "$typeName" | "wait">>;

/** A server in a process of its own and the generated stubs over gRPC to it: what any client of the contract has. */
export class ExecServer {
  readonly #options: ExecServerOptions;
  #served: ServedWorkspace | undefined;
  #stubs: ReturnType<typeof stubsOf> | undefined;
  #nextId = 1;

  constructor(options: ExecServerOptions) {
    this.#options = options;
  }

  get served(): ServedWorkspace {
    if (this.#served === undefined) throw new Error("the server is not started yet");
    return this.#served;
  }

  get exec(): Client<typeof ExecService> {
    return this.#reachable.exec;
  }

  get workspace(): Client<typeof WorkspaceService> {
    return this.#reachable.workspace;
  }

  /** The workspace's directory. */
  get directory(): string {
    return this.served.workingDirectory;
  }

  get #reachable(): ReturnType<typeof stubsOf> {
    return (this.#stubs ??= stubsOf(this.served.url));
  }

  async start(): Promise<void> {
    const { uid, ...options } = this.#options;
    const directory = await mkdtemp(join(tmpdir(), "yonder-e2e-"));
    const state = await mkdtemp(join(tmpdir(), "yonder-state-"));
    const env = { ...options.env };
    if (uid !== undefined) {
      for (const path of [directory, state]) await chown(path, uid, uid);
      const become = `--import=data:text/javascript,${encodeURIComponent(becoming(uid))}`;
      env["NODE_OPTIONS"] = [options.env?.["NODE_OPTIONS"] ?? "", become].join(" ");
    }
    this.#served = new ServedWorkspace(directory, state, { ...options, env });
    await this.#served.start();
  }

  /** Stubs over a connection of their own, with these headers on every call. */
  stubs(headers: Readonly<Record<string, string>> = {}): ReturnType<typeof stubsOf> {
    return stubsOf(this.served.url, headers);
  }

  /** Stops it and starts it again over the same state and at the same port. */
  async restart(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    await this.served.restart(signal);
    this.#stubs = undefined;
  }

  async end(): Promise<void> {
    if (this.#served === undefined) return;
    try {
      await this.#served.end();
    } finally {
      const { workingDirectory, stateDirectory } = this.#served;
      for (const path of [workingDirectory, stateDirectory]) await rm(path, { recursive: true, force: true });
    }
  }

  /** An id that no other test on this server has. */
  newId(): string {
    return `exec-${this.#nextId++}`;
  }

  /** Starts a shell line, or whatever the request says, under a fresh id. */
  async spawn(program: string | Request, more: Request = {}): Promise<{ execId: string; exec: Exec }> {
    const execId = this.newId();
    const request = typeof program === "string" ? { program: shell(program) } : program;
    const { exec } = await this.exec.startExec({ exec: { execId, ...request, ...more } });
    if (exec === undefined) throw new Error("no exec in the answer");
    return { execId, exec };
  }

  /** Runs it to its end, read as it runs. */
  async run(program: string | Request, more: Request = {}): Promise<Told> {
    const request = typeof program === "string" ? { program: shell(program) } : program;
    return await told(this.exec.exec({ execId: this.newId(), ...request, ...more }));
  }

  /** Everything from the oldest byte to the end. */
  async attach(execId: string, start: Parameters<Client<typeof ExecService>["attach"]>[0]["start"]): Promise<Told> {
    return await told(this.exec.attach({ execId, ...(start === undefined ? {} : { start }) }));
  }

  /** What it has printed, from the oldest byte where nothing else is said. */
  async read(execId: string, more: Read = {}): Promise<ReadOutputResponse> {
    return await this.exec.readOutput({ ...more, execId });
  }

  /** Resolves with the exec once it has ended. */
  async ended(execId: string): Promise<Exec & { ended: ExecEnded }> {
    for (;;) {
      const { exec } = await this.exec.getExec({ execId, wait: { seconds: 20n } });
      if (exec?.ended !== undefined) return exec as Exec & { ended: ExecEnded };
    }
  }

  /** Sends a signal; answers how many processes got it. */
  async send(
    execId: string,
    signal: string,
    target: SignalTarget = SignalTarget.TREE,
    requestId = "",
  ): Promise<number> {
    return (await this.exec.sendSignal({ execId, signal, target, requestId })).signalledProcesses;
  }

  /** Kills it, and resolves once it has ended. */
  async kill(execId: string): Promise<void> {
    await this.exec.sendSignal({ execId, signal: "KILL" });
    await this.ended(execId);
  }

  /** Writes this text behind what went to its standard input before. */
  async type(execId: string, text: string, eof = false): Promise<void> {
    const offset = (await this.exec.getExec({ execId })).exec?.stdinOffset ?? 0n;
    await this.exec.writeStdin({ execId, offset, data: Buffer.from(text), eof });
  }

  /** Runs shell lines, each once the server has seen what the one before printed. Resolves to the id, at its end. */
  async runInTurn(lines: readonly string[]): Promise<string> {
    const { execId } = await this.spawn('while IFS= read -r line; do eval "$line"; done', { stdin: {} });
    let next = 0n;
    for (const line of lines) {
      await this.type(execId, `${line}\n`);
      ({ nextCursor: next } = await this.exec.readOutput({ execId, ...cursor(next), wait: { seconds: 20n } }));
    }
    await this.type(execId, "", true);
    await this.ended(execId);
    return execId;
  }

  /** Resolves once what it printed to standard output so far holds this text. */
  async printed(execId: string, text: string): Promise<string> {
    let next = 0n;
    let all = "";
    while (!all.includes(text)) {
      const page = await this.exec.readOutput({ execId, ...cursor(next), wait: { seconds: 20n } });
      all += textOf(page.output);
      next = page.nextCursor;
      if (page.ended !== undefined && !all.includes(text)) throw new Error(`it ended without "${text}": ${all}`);
    }
    return all;
  }
}

/** A server for all tests of a file or of a `describe`: started before them, and nothing of it is left after them. */
export function execServer(options: ExecServerOptions = {}): ExecServer {
  const server = new ExecServer(options);
  beforeAll(() => server.start());
  afterAll(() => server.end());
  return server;
}

/** Where to begin to read. */
export function cursor(value: bigint): { start: { case: "cursor"; value: bigint } } {
  return { start: { case: "cursor", value } };
}

/** A shell line. */
export function shell(value: string): { case: "command"; value: string } {
  return { case: "command", value };
}

/** A program and its arguments. */
export function argv(...values: string[]): { case: "args"; value: { values: string[] } } {
  return { case: "args", value: { values } };
}

/** A shell line that runs a program of `test/fixtures` with these arguments, instead of the shell where it says `exec`. */
export function fixture(name: string, ...args: readonly string[]): string {
  const path = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  return [process.execPath, path, ...args].map((text) => `'${text.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** What a stream told, from `started` to `ended`. */
export interface Told {
  readonly started: ExecStarted | undefined;
  readonly output: readonly ExecOutput[];
  readonly lost: readonly ExecLost[];
  readonly screens: readonly TerminalScreen[];
  readonly ended: ExecEnded;
  readonly stdout: string;
  readonly stderr: string;
}

/** Reads a stream to its `ended`, which must be its one and last. */
export async function told(stream: AsyncIterable<ExecResponse | AttachResponse>): Promise<Told> {
  let started: ExecStarted | undefined;
  let ended: ExecEnded | undefined;
  const output: ExecOutput[] = [];
  const lost: ExecLost[] = [];
  const screens: TerminalScreen[] = [];
  for await (const { event } of stream) {
    if (ended !== undefined) throw new Error("something came after the end");
    if (event?.event.case === "started") started = event.event.value;
    if (event?.event.case === "output") output.push(event.event.value);
    if (event?.event.case === "lost") lost.push(event.event.value);
    if (event?.event.case === "screen") screens.push(event.event.value);
    if (event?.event.case === "ended") ended = event.event.value;
  }
  if (ended === undefined) throw new Error("the stream broke off without an end");
  const [stdout, stderr] = [OutputStream.STDOUT, OutputStream.STDERR].map((stream) => textOf(output, stream));
  return { started, output, lost, screens, ended, stdout: stdout ?? "", stderr: stderr ?? "" };
}

/** The bytes of a stream, or of both, as text. */
export function textOf(output: readonly ExecOutput[], stream?: OutputStream): string {
  const wanted = output.filter((event) => stream === undefined || event.stream === stream);
  return Buffer.concat(wanted.map(({ data }) => data)).toString();
}

/** How a call was refused. */
export interface Refusal {
  /** As the contract names it: "NOT_FOUND". */
  readonly code: string;
  /** "DIRECTORY_NOT_FOUND"; undefined where there is no detail. */
  readonly reason: string | undefined;
  readonly subject: string | undefined;
  readonly message: string;
  readonly detail: ErrorDetail | undefined;
}

/** The refusal that a call must end in: of a unary call, or of a stream that is read. */
export async function refusal(call: Promise<unknown> | AsyncIterable<unknown>): Promise<Refusal> {
  try {
    if (Symbol.asyncIterator in call) for await (const _ of call);
    else await call;
  } catch (error) {
    return refusalOf(error);
  }
  throw new Error("the call was not refused");
}

/** The refusals that several calls at once must end in, in their order. */
export async function refusals(calls: readonly (Promise<unknown> | AsyncIterable<unknown>)[]): Promise<Refusal[]> {
  return await Promise.all(calls.map((call) => refusal(call)));
}

/** The reason for which a call is refused; undefined where it is answered. */
export async function reasonOf(call: Promise<unknown>): Promise<string | undefined> {
  return await call.then(
    () => undefined,
    (error: unknown) => refusalOf(error).reason,
  );
}

export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ConnectError)) throw error;
  const [detail] = error.findDetails(ErrorDetailSchema);
  return {
    code: Code[error.code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(),
    reason: Object.entries(ErrorReason).find(([, value]) => value === detail?.reason)?.[0],
    subject: detail?.subject,
    message: error.rawMessage,
    detail,
  };
}

function stubsOf(baseUrl: string, headers: Readonly<Record<string, string>> = {}) {
  const transport = createGrpcTransport({
    baseUrl,
    interceptors: [
      (next) => async (request) => {
        for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
        return await next(request);
      },
    ],
  });
  return { exec: createClient(ExecService, transport), workspace: createClient(WorkspaceService, transport) };
}

/** Runs in the server's process before anything else does; not again in its threads, nor in what it starts. */
function becoming(uid: number): string {
  const become = `process.setgroups([]);process.setgid(${uid});process.setuid(${uid})`;
  return `if(process.geteuid()===0){${become}};delete process.env.NODE_OPTIONS`;
}
