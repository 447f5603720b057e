import { requestHeader } from "@connectrpc/connect/protocol-grpc";
import { expect, it } from "vitest";
import { nodeHeaders } from "../../wire/src/node-headers.ts";
import { RequestHeaders } from "../../wire/src/request-headers.ts";

const ofConnect = (header: HeadersInit | undefined, timeoutMs?: number) =>
  nodeHeaders(requestHeader(true, timeoutMs, header));

it("are Connect's, also for a caller who gives the same record again", () => {
  const headers = new RequestHeaders();
  const constant = Object.freeze({ authorization: "Bearer a", "User-Agent": "mine", "content-type": "none" });
  for (const header of [
    undefined,
    {},
    { a: "b" },
    new Headers({ c: "d" }),
    [["e", "f"] as [string, string]],
    constant,
  ]) {
    for (const timeoutMs of [undefined, 1, 30_000, undefined]) {
      expect(headers.of(header, timeoutMs)).toEqual(ofConnect(header, timeoutMs));
    }
  }
});

it("are made anew where what was given may have changed", () => {
  const headers = new RequestHeaders();
  const changing = Object.freeze(new Headers({ a: "1" }));
  expect(headers.of(changing, undefined)).toEqual(ofConnect({ a: "1" }));
  changing.set("a", "2");
  expect(headers.of(changing, undefined)).toEqual(ofConnect({ a: "2" }));
  const pairs = Object.freeze([["a", "1"] as [string, string]]) as [string, string][];
  expect(headers.of(pairs, undefined)).toEqual(ofConnect({ a: "1" }));
  pairs[0]?.splice(1, 1, "2");
  expect(headers.of(pairs, undefined)).toEqual(ofConnect({ a: "2" }));
});

it("are refused as Connect refuses them", () => {
  expect(() => new RequestHeaders().of(Object.freeze({ "not a name": "b" }), 5)).toThrow(TypeError);
});
