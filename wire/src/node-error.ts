import { Code, ConnectError } from "@connectrpc/connect";
import { constants } from "node:http2";

/** A failure of Node as an error of Connect, with the codes that connect-node gives them. */
export function errorOfNode(reason: unknown): ConnectError {
  const codes = codesOf(reason);
  const code = codes.some((each) => isGone.has(each))
    ? Code.Aborted
    : codes.some((each) => isUnreachable.has(each))
      ? Code.Unavailable
      : Code.Internal;
  return ConnectError.from(reason, code);
}

/** What a stream's reset means, as gRPC has it. Undefined: nothing. */
export function errorOfReset(rstCode: number, cause?: unknown): ConnectError | undefined {
  const known = resets.get(rstCode);
  if (known === undefined) return undefined;
  const [name, code] = known;
  const message = `http/2 stream closed with error code ${name} (0x${rstCode.toString(16)})`;
  return new ConnectError(message, code, undefined, undefined, cause);
}

const isGone: ReadonlySet<string> = new Set(["ERR_STREAM_DESTROYED", "ERR_HTTP2_INVALID_STREAM", "ECONNRESET"]);
const isUnreachable: ReadonlySet<string> = new Set(["ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED"]);

/** STREAM_CLOSED is not among them: it comes after an answer. */
const resets: ReadonlyMap<number, readonly [string, Code]> = new Map([
  [constants.NGHTTP2_PROTOCOL_ERROR, ["PROTOCOL_ERROR", Code.Internal]],
  [constants.NGHTTP2_INTERNAL_ERROR, ["INTERNAL_ERROR", Code.Internal]],
  [constants.NGHTTP2_FLOW_CONTROL_ERROR, ["FLOW_CONTROL_ERROR", Code.Internal]],
  [constants.NGHTTP2_SETTINGS_TIMEOUT, ["SETTINGS_TIMEOUT", Code.Internal]],
  [constants.NGHTTP2_FRAME_SIZE_ERROR, ["FRAME_SIZE_ERROR", Code.Internal]],
  [constants.NGHTTP2_REFUSED_STREAM, ["REFUSED_STREAM", Code.Unavailable]],
  [constants.NGHTTP2_CANCEL, ["CANCEL", Code.Canceled]],
  [constants.NGHTTP2_COMPRESSION_ERROR, ["COMPRESSION_ERROR", Code.Internal]],
  [constants.NGHTTP2_CONNECT_ERROR, ["CONNECT_ERROR", Code.Internal]],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, ["ENHANCE_YOUR_CALM", Code.ResourceExhausted]],
  [constants.NGHTTP2_INADEQUATE_SECURITY, ["INADEQUATE_SECURITY", Code.PermissionDenied]],
  [constants.NGHTTP2_HTTP_1_1_REQUIRED, ["HTTP_1_1_REQUIRED", Code.PermissionDenied]],
]);

/** The codes of the error and of what it came of. */
function codesOf(reason: unknown): string[] {
  const chain: Error[] = [];
  for (let each = reason; each instanceof Error && !chain.includes(each); each = each.cause) chain.push(each);
  return chain.flatMap((error) => ("code" in error && typeof error.code === "string" ? [error.code] : []));
}
