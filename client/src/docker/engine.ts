import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { invalidOption } from "../invalid-option.ts";
import { findEngine } from "./engine-address.ts";
import type { EngineAddress } from "./engine-address.ts";
import { EngineRefusal, unreachable } from "./engine-errors.ts";

export interface EngineRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON; bytes and streams as a tar archive. */
  readonly body?: object | Buffer | Readable;
  readonly signal?: AbortSignal | undefined;
  /** How long an answer may take, in milliseconds. 0: as long as it takes. Default 60,000. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const answerMs = 60_000;
/** Of an answer that is no stream, in bytes: far above what an engine says. */
const longestAnswer = 64 << 20;

/**
 * The API that Docker and Podman speak, over their socket. Its paths bear no version: what is used here is the same in
 * all that are in use.
 */
export class Engine {
  readonly address: EngineAddress;

  constructor(address: EngineAddress) {
    this.address = address;
  }

  /** One call; resolves to what its JSON says, or undefined where it says nothing. */
  async json<T>(method: string, path: string, options: EngineRequest = {}): Promise<T> {
    const response = await this.stream(method, path, options);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > longestAnswer)
        throw new Error(`the engine's answer to ${path} has more than ${longestAnswer} bytes`);
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks).toString("utf8").trim();
    return (body === "" ? undefined : JSON.parse(body)) as T;
  }

  /** One call whose answer is read as it comes. Rejects with an EngineRefusal where the engine says no. */
  async stream(method: string, path: string, options: EngineRequest = {}): Promise<IncomingMessage> {
    const response = await this.#send(method, path, options);
    const { statusCode: status = 0 } = response;
    if (status < 300 || status === 304) return response;
    throw new EngineRefusal(status, messageOf(await text(response)), path);
  }

  async #send(method: string, path: string, options: EngineRequest): Promise<IncomingMessage> {
    const { query = {}, body, signal, timeoutMs = answerMs } = options;
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    const { target, tls } = this.address;
    const isBytes = Buffer.isBuffer(body);
    const isStream = body !== undefined && !isBytes && "pipe" in body;
    const payload = body === undefined || isBytes || isStream ? body : Buffer.from(JSON.stringify(body));
    const headers: Record<string, string | number> = { host: "docker", ...options.headers };
    if (body !== undefined) headers["content-type"] = isBytes || isStream ? "application/x-tar" : "application/json";
    if (Buffer.isBuffer(payload)) headers["content-length"] = payload.length;
    const url = search.size === 0 ? path : `${path}?${search}`;
    const common = { ...target, method, path: url, headers, agent: false as const, ...(signal && { signal }) };
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const call = tls === undefined ? httpRequest(common) : httpsRequest({ ...common, ...present(tls) });
      const timer =
        timeoutMs > 0
          ? setTimeout(() => call.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
          : undefined;
      call.once("response", (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      call.once("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(signal?.aborted ? (signal.reason as Error) : unreachable(error, this.address.host));
      });
      if (payload === undefined || Buffer.isBuffer(payload)) call.end(payload);
      else payload.once("error", (error: Error) => call.destroy(error)).pipe(call);
    });
  }
}

function present(tls: NonNullable<EngineAddress["tls"]>) {
  const { ca, cert, key, rejectUnauthorized } = tls;
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), rejectUnauthorized };
}

/** Engines answer errors as `{"message": "…"}`, Podman with a "cause" beside it. */
function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Something else answers, or something in between.
  }
  return body.trim().slice(0, 500);
}

/**
 * The engine that options lead to. Refuses one on another machine: ports are published on the loopback of the machine
 * that the engine is on.
 */
export function engineOf({ dockerHost }: { readonly dockerHost?: string | undefined }): Engine {
  const address = findEngine(dockerHost);
  const { target, host } = address;
  if ("socketPath" in target || /^(localhost|127\..*|::1)$/.test(target.host)) return new Engine(address);
  throw invalidOption(
    "dockerHost",
    `is ${host}, another machine, whose loopback cannot be reached from here: run this program there, or serve there and use RemoteWorkspace`,
  );
}
