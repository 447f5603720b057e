import { request } from "node:http";
import { createClient } from "@connectrpc/connect";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { patient } from "../../helpers/time.ts";
import { collect, iterate } from "../../helpers/collect.ts";
import { openTestEdge, transports } from "../../helpers/edge.ts";
import { openRaw } from "../../helpers/raw.ts";
import { NotFound } from "../../../server/src/util/errors.ts";

const lines = (log: readonly Record<string, unknown>[]) => log.filter(({ msg }) => msg === "call");

describe.each(Object.entries(transports))("%s", (name, createTransport) => {
  const [protocol] = name.split(" ");
  const http = name.endsWith("/2") ? "2.0" : "1.1";

  test("a call is one line, with what was called, how, by whom and how long", async () => {
    const { url, log } = await openTestEdge();
    await createClient(WorkspaceService, createTransport(url)).getInfo({});
    await expect.poll(() => lines(log), patient).toHaveLength(1);
    expect(lines(log)[0]).toMatchObject({
      level: 30,
      call: "yonder.workspace.v1.WorkspaceService/GetInfo",
      protocol,
      http,
      code: "ok",
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      durationMs: expect.any(Number),
    });
  });

  test("a call that fails has its code", async () => {
    const getExec = () => {
      throw new NotFound("EXEC_NOT_FOUND", "There is no such exec");
    };
    async function* exec() {
      yield { event: { event: { case: "heartbeat", value: {} } } } as const;
      throw new NotFound("EXEC_NOT_FOUND", "There is no such exec");
    }
    const { url, log } = await openTestEdge({ exec: { getExec, exec } });
    const client = createClient(ExecService, createTransport(url));
    await expect(client.getExec({})).rejects.toThrow();
    await expect(collect(client.exec({}))).rejects.toThrow();
    await expect.poll(() => lines(log).map(({ code }) => code), patient).toEqual(["not found", "not found"]);
  });

  test("a call that is refused for its key has its code", async () => {
    const { url, log } = await openTestEdge({ apiKeys: ["a-key-of-this-test"] });
    await expect(createClient(WorkspaceService, createTransport(url)).getInfo({})).rejects.toThrow();
    await expect.poll(() => lines(log).map(({ code }) => code), patient).toEqual(["unauthenticated"]);
  });

  test("a caller that goes away is gone, which is no error", async () => {
    async function* exec(_request: unknown, { signal }: { signal: AbortSignal }) {
      yield { event: { event: { case: "heartbeat", value: {} } } } as const;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw new Error("the echo of the abort");
    }
    const { url, log } = await openTestEdge({ exec: { exec } });
    const abort = new AbortController();
    const events = createClient(ExecService, createTransport(url)).exec({}, { signal: abort.signal });
    await iterate(events).next();
    abort.abort();
    await expect.poll(() => lines(log).map(({ code }) => code), patient).toEqual(["caller gone"]);
    expect(log.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });
});

test("a message that cannot be parsed, and one that is too large, have their codes", async () => {
  const { port, log } = await openTestEdge({ settings: { maxMessageBytes: 65_536 } });
  const post = async (body: Buffer): Promise<void> =>
    await new Promise((resolve) => {
      const path = "/yonder.workspace.v1.ExecService/GetExec";
      const call = request({ port, method: "POST", path, headers: { "content-type": "application/json" } });
      call.on("response", (response) => response.resume().on("end", resolve)).end(body);
    });
  await post(Buffer.from("{"));
  await post(Buffer.alloc(100_000, " "));
  await expect
    .poll(() => lines(log).map(({ code }) => code), patient)
    .toEqual(["invalid argument", "resource exhausted"]);
});

test("neither payloads nor headers nor unknown paths are logged", async () => {
  const { port, log } = await openTestEdge({ apiKeys: ["a-key-of-this-test"] });
  for (const path of ["/yonder.workspace.v1.ExecService/WriteStdin?query=s3cret", "/s3cret"]) {
    const { socket, received } = await openRaw(port);
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: s3cret\r\nX-API-Key: s3cret-and-sixteen\r\nAuthorization: Bearer s3cret\r\n` +
        `Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"data":"s3crets3cret"}`,
    );
    await received(/HTTP\/1\.1 4/);
  }
  await expect.poll(() => lines(log), patient).toHaveLength(2);
  expect(JSON.stringify(log)).not.toContain("s3cret");
});
