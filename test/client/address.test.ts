import { expect, test } from "vitest";
import { parseAddress } from "../../client/src/connection/address.ts";
import { InvalidRequest } from "../../client/src/index.ts";

test.each([
  ["http://127.0.0.1:8000", "http://127.0.0.1:8000", false, { host: "127.0.0.1", port: 8000 }],
  ["http://127.0.0.1:8000/", "http://127.0.0.1:8000", false, { host: "127.0.0.1", port: 8000 }],
  ["http://box", "http://box", false, { host: "box", port: 80 }],
  ["https://box", "https://box", true, { host: "box", port: 443 }],
  ["https://box:8443/behind/a/prefix/", "https://box:8443/behind/a/prefix", true, { host: "box", port: 8443 }],
  ["http://[::1]:8000", "http://[::1]:8000", false, { host: "::1", port: 8000 }],
  ["unix:///run/yonder.sock", "http://localhost", false, { path: "/run/yonder.sock" }],
  ["unix:/run/yonder.sock", "http://localhost", false, { path: "/run/yonder.sock" }],
])("%s is understood", (host, baseUrl, secure, target) => {
  expect(parseAddress(host)).toMatchObject({ baseUrl, secure, target });
});

test.each([
  "",
  "127.0.0.1:8000",
  "localhost:8000",
  "ftp://box",
  "http://",
  "http://user:key@box",
  "http://box/?key=1",
  "unix:relative.sock",
  undefined as never,
])("%j is refused by name", (host) => {
  expect(() => parseAddress(host)).toThrow(InvalidRequest);
  expect(() => parseAddress(host)).toThrow(/^host /);
});
