import { expect, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";
import { openRaw } from "../../helpers/raw.ts";

const getInfo = "/yonder.workspace.v1.WorkspaceService/GetInfo";

async function call(port: number, headers: Record<string, string>, method = "POST"): Promise<string> {
  const { socket, received } = await openRaw(port);
  const lines = Object.entries({ host: "localhost", "content-type": "application/json", ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`${method} ${getInfo} HTTP/1.1\r\n${head}content-length: 2\r\n\r\n{}`);
  const text = await received(/\r\n\r\n/);
  return text.toLowerCase();
}

test("a script of any origin is turned away unless it is allowed, and its call is not carried out", async () => {
  const { port, log } = await openTestEdge();
  expect(await call(port, { origin: "https://app.example.com" })).toMatch(/^http\/1\.1 403/);
  expect(log.filter(({ msg }) => msg === "call")).toEqual([]);
});

test("an allowed origin gets its own name back, and others stay out", async () => {
  const { port } = await openTestEdge({ settings: { allowOrigins: ["https://app.example.com"] } });
  const allowed = await call(port, { origin: "https://app.example.com" });
  expect(allowed).toMatch(/^http\/1\.1 200/);
  expect(allowed).toContain("access-control-allow-origin: https://app.example.com");
  expect(allowed).toContain("vary: origin");
  expect(await call(port, { origin: "https://app.example.com.evil.example" })).toMatch(/^http\/1\.1 403/);
  expect(await call(port, { origin: "null" })).toMatch(/^http\/1\.1 403/);
});

test("a preflight names the methods and headers that gRPC-Web and Connect need, and asks for no key", async () => {
  const { port } = await openTestEdge({ settings: { allowOrigins: ["*"] }, apiKeys: ["a-key-of-this-test"] });
  const answer = await call(
    port,
    { origin: "https://app.example.com", "access-control-request-method": "POST" },
    "OPTIONS",
  );
  expect(answer).toMatch(/^http\/1\.1 204/);
  expect(answer).toContain("access-control-allow-origin: *");
  expect(answer).toMatch(/access-control-allow-methods: post, get/);
  for (const header of ["authorization", "x-api-key", "connect-protocol-version", "connect-timeout-ms", "x-grpc-web"]) {
    expect(answer).toMatch(new RegExp(`access-control-allow-headers: .*${header}`));
  }
});

test("scripts may read the status of a gRPC-Web call", async () => {
  const { port } = await openTestEdge({ settings: { allowOrigins: ["*"] } });
  const answer = await call(port, { origin: "https://app.example.com" });
  expect(answer).toMatch(/access-control-expose-headers: .*grpc-status.*grpc-message.*grpc-status-details-bin/);
});

test("without a key, a name that is pointed at loopback gets nothing", async () => {
  const { port } = await openTestEdge();
  for (const host of ["localhost", `localhost:${port}`, `127.0.0.1:${port}`, "[::1]:8000"]) {
    expect(await call(port, { host })).toMatch(/^http\/1\.1 200/);
  }
  expect(await call(port, { host: "rebound.example.com" })).toMatch(/^http\/1\.1 421/);
});

test("with a key, the name that it was called by does not matter", async () => {
  const { port } = await openTestEdge({ apiKeys: ["a-key-of-this-test"] });
  expect(await call(port, { host: "workspace.example.com", "x-api-key": "a-key-of-this-test" })).toMatch(
    /^http\/1\.1 200/,
  );
});
