import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason } from "@yonder/proto";
import { expect, test } from "vitest";
import { lossOf } from "../../client/src/connection/loss.ts";

const answers: [string, unknown, ReturnType<typeof lossOf>][] = [
  ["a refused connection", caused(Code.Unavailable, { code: "ECONNREFUSED", syscall: "connect" }), "unreachable"],
  ["a name that is not known", caused(Code.Unavailable, { code: "ENOTFOUND", syscall: "getaddrinfo" }), "unreachable"],
  ["a socket that is not there", caused(Code.Internal, { code: "ENOENT", syscall: "connect" }), "unreachable"],
  [
    "a connection that took too long",
    caused(Code.Unavailable, { code: "ETIMEDOUT", syscall: "connect" }),
    "unreachable",
  ],
  ["one that was there, and timed out", caused(Code.Unavailable, { code: "ETIMEDOUT", syscall: "read" }), "broken"],
  ["a certificate that is not trusted", caused(Code.Internal, { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }), "untrusted"],
  ["a certificate for another name", caused(Code.Internal, { code: "ERR_TLS_CERT_ALTNAME_INVALID" }), "untrusted"],
  [
    "a client's certificate that is wanted",
    caused(Code.Internal, { code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" }),
    "untrusted",
  ],
  ["a reset", caused(Code.Aborted, { code: "ECONNRESET", syscall: "read" }), "broken"],
  ["a broken pipe", caused(Code.Internal, { code: "EPIPE", syscall: "write" }), "broken"],
  [
    "a killed server over HTTP/2",
    new ConnectError("http/2 stream closed with error code CANCEL (0x8)", Code.Canceled),
    "broken",
  ],
  ["a killed server over HTTP/1.1", new ConnectError("aborted", Code.Aborted), "broken"],
  [
    "a refused stream",
    new ConnectError("http/2 stream closed with error code REFUSED_STREAM (0x7)", Code.Unavailable),
    "broken",
  ],
  [
    "a peer that wants calm",
    new ConnectError("http/2 stream closed with error code ENHANCE_YOUR_CALM (0xb)", Code.ResourceExhausted),
    "broken",
  ],
  ["a proxy without a server", new ConnectError("HTTP 503", Code.Unavailable), "broken"],
  ["our own deadline", new ConnectError("the operation timed out", Code.DeadlineExceeded), "broken"],
  [
    "a stream cut between messages",
    new ConnectError("protocol error: missing EndStreamResponse", Code.InvalidArgument),
    "broken",
  ],
  [
    "a stream cut in a message",
    new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument),
    "broken",
  ],
  ["a stream cut before its trailer", new ConnectError("protocol error: missing trailer", Code.Internal), "broken"],
  ["a web page", new ConnectError("unsupported content type text/html", Code.Unknown), "doubtful"],
  ["a server that stops", told(Code.Unavailable, "SERVER_STOPPING"), "stopping"],
  ["a refusal with a reason", told(Code.Internal, "INTERNAL"), undefined],
  ["an aborted call with a reason", told(Code.Aborted, "READER_STALLED"), undefined],
  ["a message that is too large", new ConnectError("message size 5 is larger", Code.ResourceExhausted), undefined],
  ["a missing permission", new ConnectError("HTTP 403", Code.PermissionDenied), undefined],
  ["an unknown call", new ConnectError("HTTP 404", Code.Unimplemented), undefined],
];

test.each(answers)("%s", (_name, error, loss) => {
  expect(lossOf(error)).toBe(loss);
});

test("what a server says of our request is an answer, however it is put", () => {
  const error = new ConnectError("protocol error: invalid grpc timeout value: 1.5m", Code.InvalidArgument);
  error.isWireError = true;
  expect(lossOf(error)).toBeUndefined();
});

function caused(code: Code, properties: object): ConnectError {
  const cause = Object.assign(new Error("cause"), properties);
  return new ConnectError("what the stack says", code, undefined, undefined, cause);
}

function told(code: Code, reason: keyof typeof ErrorReason): ConnectError {
  return new ConnectError("told", code, undefined, [
    { desc: ErrorDetailSchema, value: { reason: ErrorReason[reason] } },
  ]);
}
