import { Code, ConnectError } from "@connectrpc/connect";
import { WorkspaceService } from "@yonder/proto";
import { connect } from "node:tls";
import { ConnectionLost } from "../errors.ts";
import type { Address } from "./address.ts";
import { errorDetail } from "./error-map.ts";
import { failuresOf, lossOf } from "./loss.ts";

/** How long to look whether a port speaks TLS. */
const lookMs = 1_000;

/** What the first answer says against the address: that is told at once. Undefined: nothing, or it may be the weather. */
export async function wrongAddress(error: unknown, address: Address): Promise<ConnectionLost | undefined> {
  const why = await whatIsWrong(error, address);
  if (why === undefined) return undefined;
  return new ConnectionLost(why, {
    reason: "CONNECTION_REFUSED",
    subject: address.host,
    retryable: isSilence(error),
    cause: error,
    mayHaveRun: false,
  });
}

async function whatIsWrong(error: unknown, { host, baseUrl, secure, target }: Address): Promise<string | undefined> {
  const status = ConnectError.from(error);
  if (errorDetail(status)) return undefined;
  const failures = failuresOf(error);
  const said = (pattern: RegExp) => failures.some(({ code, message }) => pattern.test(`${code} ${message}`));
  if (secure && said(/wrong version number|packet length too long|http request/i)) {
    return `${host} does not speak TLS: to connect without, use ${host.replace(/^https/, "http")}`;
  }
  if (said(/^ERR_HTTP2_ERROR Protocol error|NO_APPLICATION_PROTOCOL/)) {
    return `${host} does not speak HTTP/2: ${noServer}, or it is behind a proxy that needs httpVersion "1.1"`;
  }
  if (said(/^HPE_/)) return `${host} does not speak HTTP/1.1: ${noServer}, or it needs httpVersion "2"`;
  if (isForeign(status)) {
    const url = "path" in target ? host : `${baseUrl}/${WorkspaceService.typeName}/GetInfo`;
    const { origin } = new URL(baseUrl);
    const hint = origin === baseUrl ? "" : `; without a path it would be ${origin}`;
    return `${url} answered with "${status.rawMessage}": ${noServer}${hint}`;
  }
  if (isSilence(error)) return `${host} does not answer`;
  if (!secure && !("path" in target) && lossOf(error) === "broken" && (await speaksTls(target))) {
    return `${host} speaks TLS: use ${host.replace(/^http/, "https")}`;
  }
  return undefined;
}

/** Nobody is there behind a wall that drops what comes, or somebody who takes a connection and says nothing. */
function isSilence(error: unknown): boolean {
  return ConnectError.from(error).code === Code.DeadlineExceeded;
}

const noServer = "this does not look like a Yonder server";

/** Answers that no server of ours gives to GetInfo, and no proxy before one that is on its way up or wants a login. */
function isForeign({ rawMessage }: ConnectError): boolean {
  return /^unsupported content type|^HTTP (3\d\d|400|404|405|406|410|411|415|421|426|501|505)$/.test(rawMessage);
}

/** Whether there is TLS, whatever it then thinks of us. */
async function speaksTls(target: { readonly host: string; readonly port: number }): Promise<boolean> {
  const socket = connect({ ...target, rejectUnauthorized: false });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("secureConnect", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("close", () => resolve(false));
      socket.setTimeout(lookMs, () => resolve(false));
    });
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}
