import { request as requestHttp1 } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import type { Subject } from "./finding.ts";
import { openSocket } from "./socket.ts";
import { within } from "./within.ts";

/** How a call is put on the wire. */
export type Wire = "grpc over HTTP/2" | "connect over HTTP/2" | "connect over HTTP/1.1";

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** Of gRPC, which is told after the body; undefined where it never came. */
  readonly grpcStatus: string | undefined;
  readonly body: Buffer;
  /** What a proxy says of itself; empty where none does. */
  readonly server: string;
  readonly milliseconds: number;
}

const method = "grpc.health.v1.Health/Check";

/** Asks the server for its health, which needs no key, by hand: what stands in between is told by how the answer looks. */
export async function askHealth(subject: Subject, wire: Wire): Promise<Answer> {
  const begin = performance.now();
  const call = wire === "connect over HTTP/1.1" ? overHttp1(subject) : overHttp2(subject, wire);
  const answer = await within(subject.timeoutMs, subject.address.host, call.answer).finally(call.end);
  return { ...answer, milliseconds: performance.now() - begin };
}

/** Whether it is the answer of a server of ours. */
export function isHealthy({ status, contentType, grpcStatus, body }: Answer, wire: Wire): boolean {
  if (status !== 200) return false;
  if (wire === "grpc over HTTP/2") return contentType.startsWith("application/grpc") && grpcStatus === "0";
  return contentType.startsWith("application/json") && body.includes("SERVING");
}

interface Call {
  readonly answer: Promise<Omit<Answer, "milliseconds">>;
  readonly end: () => void;
}

function overHttp2(subject: Subject, wire: Wire): Call {
  const session = openSession(subject);
  const isGrpc = wire === "grpc over HTTP/2";
  const answer = new Promise<Omit<Answer, "milliseconds">>((resolve, reject) => {
    session.once("error", reject);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: pathOf(subject, method),
      ...(isGrpc
        ? { "content-type": "application/grpc", te: "trailers" }
        : { "content-type": "application/json", "connect-protocol-version": "1" }),
    });
    stream.on("error", reject);
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
    let grpcStatus: string | undefined;
    stream.on("response", (each) => {
      headers = each;
      grpcStatus = each["grpc-status"] as string | undefined;
    });
    stream.on("trailers", (trailers) => (grpcStatus ??= trailers["grpc-status"] as string | undefined));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("close", () => {
      if (headers[":status"] === undefined) return reject(new Error("the stream was closed without an answer"));
      resolve({ ...heading(headers, headers[":status"]), grpcStatus, body: Buffer.concat(chunks) });
    });
    stream.end(isGrpc ? Buffer.alloc(5) : "{}");
  });
  return { answer, end: () => session.destroy() };
}

/** A session over a socket of our own; whoever opens it destroys it. */
export function openSession(subject: Subject): ClientHttp2Session {
  const session = connectHttp2(originOf(subject), { createConnection: () => openSocket(subject, ["h2"]) });
  // Those that matter are told by the streams too.
  session.on("error", () => {});
  return session;
}

function overHttp1(subject: Subject): Call {
  const request = requestHttp1({
    createConnection: () => openSocket(subject, ["http/1.1"]),
    method: "POST",
    path: pathOf(subject, method),
    headers: {
      host: new URL(originOf(subject)).host,
      "content-type": "application/json",
      "connect-protocol-version": "1",
    },
  });
  const answer = new Promise<Omit<Answer, "milliseconds">>((resolve, reject) => {
    request.on("error", reject);
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          ...heading(response.headers, response.statusCode ?? 0),
          grpcStatus: undefined,
          body: Buffer.concat(chunks),
        }),
      );
    });
  });
  request.end("{}");
  return { answer, end: () => request.destroy() };
}

function heading(headers: IncomingHttpHeaders, status: number) {
  return {
    status,
    contentType: headers["content-type"] ?? "",
    server: String(headers["server"] ?? headers["via"] ?? ""),
  };
}

/** The path of a method below what the address says. */
export function pathOf({ address: { baseUrl } }: Subject, name: string): string {
  return `${new URL(baseUrl).pathname.replace(/\/$/, "")}/${name}`;
}

function originOf({ address: { baseUrl } }: Subject): string {
  return new URL(baseUrl).origin;
}
