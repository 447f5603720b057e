import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "../logging/logger.ts";
import type { CallRecord } from "../rpc/call-record.ts";
import type { NodeRequest, NodeResponse } from "./node-types.ts";

/**
 * Logs one line when a call is over: what was called, how it ended and for whom. Never a payload, a header's value or a
 * key; the path of what is no call of ours is not logged either, since anything can stand in it.
 */
export function logAccess(
  logger: Logger,
  request: NodeRequest,
  response: NodeResponse,
  call: string | undefined,
): CallRecord {
  const record: CallRecord = {};
  const begin = performance.now();
  const { remoteAddress, remotePort } = request.socket;
  // Taken now: the socket of an HTTP/2 request is gone when the stream closes.
  const fields = {
    call: call ?? "unknown",
    protocol: protocolOf(request),
    http: request.httpVersion,
    peer: remoteAddress === undefined ? "unix" : `${remoteAddress}:${remotePort}`,
  };
  response.once("close", () => {
    const durationMs = Math.round(performance.now() - begin);
    logger.info({ ...fields, code: codeOf(record, response), durationMs }, "call");
  });
  return record;
}

function protocolOf({ headers }: NodeRequest): string {
  const type = headers["content-type"] ?? "";
  if (type.startsWith("application/grpc-web")) return "grpc-web";
  return type.startsWith("application/grpc") ? "grpc" : "connect";
}

function codeOf(record: CallRecord, response: NodeResponse): string {
  const error = record.error ?? errorOf(record.signal);
  if (!isComplete(response)) return error?.code === Code.DeadlineExceeded ? "deadline exceeded" : "caller gone";
  if (error !== undefined) return codeName(error.code);
  return response.statusCode < 400 ? "ok" : `http ${response.statusCode}`;
}

/** What Connect itself refused a call with, before or behind our interceptors. */
function errorOf(signal: AbortSignal | undefined): ConnectError | undefined {
  const reason: unknown = signal?.reason;
  return reason instanceof ConnectError ? reason : undefined;
}

/** Whether the peer was there for the whole answer. */
function isComplete(response: NodeResponse): boolean {
  if ("stream" in response) return response.stream.rstCode === 0 && response.stream.writableFinished;
  return response.writableFinished;
}

function codeName(code: Code): string {
  return (Code[code] ?? "unknown").replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}
