import type { HandlerContext } from "@connectrpc/connect";
import type { GateCheck } from "../rpc/request-gate.ts";
import { Unauthenticated } from "../util/errors.ts";
import type { KeyRing } from "./key-ring.ts";

/** Lets in only calls that bear a key; health is open to all, for probes that have none. */
export function createAuthentication(ring: KeyRing): GateCheck {
  return (context) => {
    if (context.service.typeName === "grpc.health.v1.Health") return;
    const keys = presentedKeys(context.requestHeader);
    if (keys.some((key) => ring.accepts(key))) return;
    challenge(context);
    throw keys.length === 0
      ? new Unauthenticated("CREDENTIALS_MISSING", "The call bears no API key", {
          remedy: "Send one as `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
        })
      : new Unauthenticated("CREDENTIALS_INVALID", "The server does not take this API key", {
          remedy: "It may have been replaced; ask whoever runs the server for the one in use.",
        });
  };
}

function presentedKeys(headers: Headers): string[] {
  // A scheme other than Bearer belongs to somebody in between.
  const bearer = /^bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  const apiKey = headers.get("x-api-key")?.trim();
  return [bearer, apiKey].filter((key) => key !== undefined && key !== "") as string[];
}

/** HTTP wants to be told how to do better with its 401, which only Connect's calls have. */
function challenge({ protocolName, responseHeader }: HandlerContext): void {
  if (protocolName === "connect") responseHeader.set("WWW-Authenticate", 'Bearer realm="yonder"');
}
