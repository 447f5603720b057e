import { reply } from "./node-types.ts";
import type { NodeResponse } from "./node-types.ts";

/** What Connect answers without a word where a request is no call of it, in words for people. */
const words: Readonly<Record<number, string>> = {
  405: "This is called with POST",
  415:
    "This is called with POST and the content type application/json, application/proto, application/grpc or " +
    "application/grpc-web; a call with many messages takes application/connect+json or +proto instead of the first two",
  505: "This call needs HTTP/2, since both sides send many messages",
};

/** Answers in words; says whether there are any for this status. */
export function tellNoCall(response: NodeResponse, status: number): boolean {
  const text = words[status];
  if (text === undefined) return false;
  reply(response, status, status === 405 ? { allow: "POST" } : {}, text);
  return true;
}
