import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@yonder/proto";
import { errorDetail } from "./error-map.ts";

/**
 * What a failed call says about the connection:
 * - `unreachable`: nothing was sent, since there was no connection;
 * - `untrusted`: nothing was sent, since the server is not who it should be;
 * - `broken`: it was there and went away, so the server may have done what was asked;
 * - `stopping`: the server is going away and did nothing;
 * - `doubtful`: `broken` most likely, or an answer that makes no sense;
 * - undefined: the connection is fine, and this is an answer.
 */
export type Loss = "unreachable" | "untrusted" | "broken" | "stopping" | "doubtful" | undefined;

/** Sorts an error. The caller has made sure that it did not abort the call itself. */
export function lossOf(error: unknown): Loss {
  const status = ConnectError.from(error);
  const reason = errorDetail(status)?.reason;
  if (reason !== undefined) return reason === ErrorReason.SERVER_STOPPING ? "stopping" : undefined;
  const failures = failuresOf(error);
  if (failures.some(({ syscall }) => syscall === "connect" || syscall === "getaddrinfo")) return "unreachable";
  if (failures.some(({ code }) => untrusted.test(code))) return "untrusted";
  switch (status.code) {
    // Over HTTP/2 a server that was killed shows as Canceled, over HTTP/1.1 as Aborted.
    case Code.Canceled:
    case Code.Aborted:
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return "broken";
    // ENHANCE_YOUR_CALM is the connection's, all else of this code is the server's.
    case Code.ResourceExhausted:
      return status.rawMessage.startsWith("http/2 ") ? "broken" : undefined;
    // What our own stack says of a reply that was cut at a clean edge: "missing EndStreamResponse". What the server's
    // says of a request is an answer.
    case Code.InvalidArgument:
      return isCutReply(status) ? "broken" : undefined;
    case Code.Internal:
    case Code.Unknown:
    case Code.DataLoss:
      return failures.length > 0 || isCutReply(status) ? "broken" : "doubtful";
    default:
      return undefined;
  }
}

/** OpenSSL's and Node's words for a certificate that does not do, the server's or the client's, and for no TLS at all. */
const untrusted = /^(ERR_TLS_CERT|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA)/;

function isCutReply({ rawMessage, isWireError }: ConnectError): boolean {
  return !isWireError && rawMessage.startsWith("protocol error");
}

/** Of what an error came, those that Node and OpenSSL have a code for. */
export function failuresOf(error: unknown): (NodeJS.ErrnoException & { code: string })[] {
  return causes(error).filter(hasCode);
}

function hasCode(error: Error): error is NodeJS.ErrnoException & { code: string } {
  return "code" in error && typeof error.code === "string";
}

function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let each = error; each instanceof Error && !chain.includes(each); each = each.cause) {
    chain.push(each);
    // Several addresses of one name were tried.
    if (each instanceof AggregateError) chain.push(...each.errors.filter((one) => one instanceof Error));
  }
  return chain;
}
