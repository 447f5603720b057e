import type { ChildProcess } from "node:child_process";
import { connect, type ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { join } from "node:path";
import type { Transport } from "@connectrpc/connect";
import { createWireTransport, firstWindowBytes, fitWindows, type Sessions } from "@yonder/wire";
import type { OnInternalError } from "../rpc/error-map.ts";
import { packageDirectory } from "../util/package-directory.ts";
import { within } from "../util/within.ts";
import { eachLine, FAILURE, IDLE, READY, STOP, type UserFailure, type UserSettings } from "./user-process-words.ts";

/** How a process that works as a user is run: from the sources where the server is, else from what was built. */
export const userProgram: { readonly file: string; readonly args: readonly string[] } =
  process.features.typescript && import.meta.url.endsWith(".ts")
    ? { file: join(packageDirectory, "src/users/serve-user.ts"), args: ["--conditions=@yonder/source"] }
    : { file: join(packageDirectory, "dist/users/serve-user.js"), args: [] };

export interface UserProcessOptions {
  readonly settings: UserSettings;
  readonly onInternalError: OnInternalError;
  /** Told when nothing is under way there. */
  readonly onIdle: () => void;
}

/** A process of the server that works as one user. */
export class UserProcess {
  /** Carries calls to it. */
  readonly transport: Transport;
  /** Settles when it is gone. */
  readonly exited: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #session: ClientHttp2Session;
  #streams = 0;

  private constructor(child: ChildProcess, exited: Promise<unknown>, maxMessageBytes: number) {
    this.#child = child;
    this.exited = exited;
    this.#session = openSession(child.stdio[3] as Socket);
    const sessions: Sessions = {
      authority,
      request: async (method, path, headers, options) => {
        const stream = this.#session.request({ ...headers, ":method": method, ":path": path }, options);
        if (this.#streams++ === 0) this.#session.ref();
        stream.once("close", () => {
          if (--this.#streams === 0 && !this.#session.destroyed) this.#session.unref();
        });
        return stream;
      },
      notifyResponseByteRead() {},
    };
    // It is in the user's hands: what it sends is bounded, like what a client sends.
    const readMaxBytes = Math.max(maxMessageBytes, LARGEST_REPLY);
    this.transport = createWireTransport({ baseUrl: authority, protocol: "grpc", http: { sessions }, readMaxBytes });
  }

  /** Resolves once it answers calls; rejects with what it said where it ends before. Takes the child over. */
  static async open(
    child: ChildProcess,
    { settings, onInternalError, onIdle }: UserProcessOptions,
  ): Promise<UserProcess> {
    const gone = hasExited(child);
    for (const stream of child.stdio) (stream as Socket | null)?.on("error", () => {}).unref();
    child.unref();
    const lastWords = tail(child.stderr as Readable);
    const ready = new Promise<void>((resolve) => {
      const onLine = eachLine(LONGEST_LINE, (line) => {
        if (line === READY) resolve();
        else if (line === IDLE) onIdle();
        else if (line.startsWith(FAILURE)) tellFailure(line.slice(FAILURE.length), onInternalError);
      });
      child.stdout?.setEncoding("utf8").on("data", onLine);
    });
    child.stdin?.write(`${JSON.stringify(settings)}\n`);
    const exited = gone.then((how) => {
      throw new Error(`it ended with ${how}: ${lastWords()}`);
    });
    try {
      if (await within(START_MS, Promise.race([ready, exited])))
        return new UserProcess(child, gone, settings.limits.maxMessageBytes);
      throw new Error(`it did not answer within ${START_MS} ms: ${lastWords()}`);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      exited.catch(() => {});
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether it may still answer. */
  get isAlive(): boolean {
    const { exitCode, signalCode } = this.#child;
    return !this.#session.closed && !this.#session.destroyed && exitCode === null && signalCode === null;
  }

  /** Has it take no new work and end its operations. */
  stop(): void {
    this.#child.stdin?.write(`${STOP}\n`);
  }

  /** Ends it, in bounded time. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    if (await within(END_MS, this.exited)) return;
    this.#child.kill("SIGKILL");
    await this.exited;
  }
}

function openSession(socket: Socket): ClientHttp2Session {
  const session = connect(authority, {
    createConnection: () => socket,
    settings: { initialWindowSize: firstWindowBytes, enablePush: false },
  });
  session.on("error", () => {});
  session.once("connect", () => fitWindows(session));
  session.unref();
  return session;
}

function hasExited(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
  });
}

function tellFailure(json: string, onInternalError: OnInternalError): void {
  try {
    const { id, cause } = JSON.parse(json) as Partial<UserFailure>;
    if (typeof id === "string" && typeof cause === "string") onInternalError(id, new Error(cause));
  } catch {
    // Not one of its lines.
  }
}

/** The end of what it said, for whoever asks why it is gone. */
function tail(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => (text = (text + chunk).slice(-LAST_WORDS)));
  return () => text.trim();
}

const authority = "http://user.invalid";
const START_MS = 20_000;
const END_MS = 1_800;
const LONGEST_LINE = 64 * 1024;
const LAST_WORDS = 4 * 1024;
/** Replies of unary calls stay under 3.5 MiB, and pieces of streams under 1. */
const LARGEST_REPLY = 4 * 1024 * 1024;
