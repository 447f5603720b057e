import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import type { ConnectError } from "@connectrpc/connect";
import {
  EndReason,
  ErrorDetailSchema,
  ErrorReason,
  ExecDisposition,
  ExecRequestSchema,
  ExecService,
  OutputPolicySchema,
  StartExecRequestSchema,
} from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { transports } from "../helpers/edge.ts";
import { serve } from "../helpers/serve.ts";
import type { ServedWorkspace } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";
import { connect } from "../helpers/workspaces.ts";

describe("a command runs once", { timeout: 120_000 }, () => {
  test.for(Object.entries(transports))("when its id comes 100 times at once, by %s", async ([, open]) => {
    const server = await serve();
    const stubs = createClient(ExecService, open(server.url));
    const request = { execId: "tool-call", program: { case: "command" as const, value: "echo ran | tee -a runs" } };

    const starts = Array.from({ length: 50 }, async () => {
      const { disposition } = await stubs.startExec({ exec: request });
      return disposition;
    });
    const streams = Array.from({ length: 50 }, async () => {
      let disposition: ExecDisposition | undefined;
      const output: Uint8Array[] = [];
      for await (const { event } of stubs.exec(request)) {
        if (event?.event.case === "started") ({ disposition } = event.event.value);
        if (event?.event.case === "output") output.push(event.event.value.data);
        if (event?.event.case === "ended") expect(event.event.value.reason).toBe(EndReason.EXITED);
      }
      expect(Buffer.concat(output).toString()).toBe("ran\n");
      return disposition;
    });

    const dispositions = await Promise.all([...starts, ...streams]);
    expect(dispositions.filter((disposition) => disposition === ExecDisposition.CREATED)).toHaveLength(1);
    expect(dispositions.filter((disposition) => disposition === ExecDisposition.JOINED)).toHaveLength(99);
    expect(await runsOf(server)).toBe("ran\n");
  });

  test("when its id comes again after its output has expired: EXEC_EXPIRED, which says so", async () => {
    const server = await serve({ flags: ["--exec-retention=200ms"] });
    const { stubs, start } = await starter(server);
    await start();
    await until(async () => (await reasonOf(stubs.getExec({ execId: "tool-call" }))) === "EXEC_EXPIRED");

    const again = await errorOf(start());
    expect(again).toMatchObject({ code: Code.NotFound });
    expect(again.rawMessage).toMatch(/"tool-call" has ended.*no longer kept.*does not run again/);
    expect(again.findDetails(ErrorDetailSchema)).toMatchObject([
      { reason: ErrorReason.EXEC_EXPIRED, subject: "tool-call", remedy: expect.stringContaining("new id") },
    ]);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await server.restart(signal);
      expect(await reasonOf(start()), `after ${signal}`).toBe("EXEC_EXPIRED");
    }
    expect(await runsOf(server)).toBe("ran\n");
  });

  test.for(["SIGTERM", "SIGKILL"] as const)(
    "when its id comes again after the server was ended with %s: it is joined as it was",
    async (signal) => {
      const server = await serve();
      const { stubs, start } = await starter(server);
      await start();
      const { exec: before } = await stubs.getExec({ execId: "tool-call", wait: { seconds: 30n } });
      await server.restart(signal);

      const { exec, disposition } = await start();
      expect(disposition).toBe(ExecDisposition.JOINED);
      expect(exec?.ended).toEqual(before?.ended);
      expect(exec?.ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 0, stdoutBytes: 4n });
      expect(await runsOf(server)).toBe("ran\n");
    },
  );

  test("when its id comes with another request, before and after a restart: EXEC_ID_CONFLICT", async () => {
    const server = await serve();
    const { stubs, start } = await starter(server);
    await start();
    expect(await reasonOf(start("echo other | tee -a runs"))).toBe("EXEC_ID_CONFLICT");
    await stubs.getExec({ execId: "tool-call", wait: { seconds: 30n } });
    await server.restart("SIGKILL");
    expect(await reasonOf(start("echo other | tee -a runs"))).toBe("EXEC_ID_CONFLICT");
    expect(await runsOf(server)).toBe("ran\n");
  });

  test("when the server is killed while it runs: SERVER_LOST, and its id joins that end", async () => {
    const server = await serve();
    const { stubs, start } = await starter(server);
    const command = "echo ran | tee -a runs; sleep 600";
    await start(command);
    await stubs.readOutput({ execId: "tool-call", wait: { seconds: 30n } });
    await server.restart("SIGKILL");
    expect(server.marked).toEqual([]);

    const { exec, disposition } = await start(command);
    expect(disposition).toBe(ExecDisposition.JOINED);
    expect(exec?.ended).toMatchObject({ reason: EndReason.SERVER_LOST, stdoutBytes: 4n });
    expect(exec?.ended?.exitCode).toBeUndefined();
    expect(exec?.ended?.message).not.toBe("");
    expect(await runsOf(server)).toBe("ran\n");
  });
});

describe("a request with a field that the server does not know is refused by name and runs nothing", () => {
  test.for(Object.entries(transports))("in binary, by %s", async ([, open]) => {
    const server = await serve();
    const stubs = createClient(ExecService, open(server.url));
    // Field 999, a varint: what a newer client's option looks like.
    const $unknown = [{ no: 999, wireType: 0, data: new Uint8Array([1]) }];
    const program = { case: "command" as const, value: "echo ran >> runs" };
    const newer = <T extends object>(message: T): T => Object.assign(message, { $unknown });
    const calls = [
      () => stubs.startExec(newer(create(StartExecRequestSchema, { exec: { execId: "a", program } }))),
      () => stubs.startExec({ exec: newer(create(ExecRequestSchema, { execId: "b", program })) }),
      () => stubs.startExec({ exec: { execId: "c", program, output: newer(create(OutputPolicySchema)) } }),
      () => first(stubs.exec(newer(create(ExecRequestSchema, { execId: "d", program })))),
    ];

    for (const call of calls) {
      const error = await errorOf(call());
      expect(error.code).toBe(Code.InvalidArgument);
      const [detail] = error.findDetails(ErrorDetailSchema);
      expect(detail).toMatchObject({
        reason: ErrorReason.UNKNOWN_FIELD,
        subject: expect.stringMatching(/(StartExecRequest|ExecRequest|OutputPolicy).*999/),
      });
    }
    expect((await stubs.listExecs({})).execs).toEqual([]);
    expect(await runsOf(server)).toBe("");
  });

  test("in JSON, as curl sends it", async () => {
    const server = await serve();
    const post = async (body: unknown): Promise<{ status: number; body: string }> => {
      const response = await fetch(`${server.url}/yonder.workspace.v1.ExecService/StartExec`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: await response.text() };
    };

    const typo = await post({ exec: { execId: "a", command: "echo ran >> runs", timeut: "5s" } });
    expect(typo.status).toBe(400);
    expect(JSON.parse(typo.body)).toMatchObject({ code: "invalid_argument" });
    expect(typo.body).toContain("timeut");
    const nested = await post({ exec: { execId: "b", command: "echo ran >> runs", output: { keepBytez: 1 } } });
    expect(nested.body).toContain("keepBytez");
    expect(await runsOf(server)).toBe("");

    const right = await post({ exec: { execId: "c", command: "echo ran >> runs", timeout: "5s" } });
    expect(right.status).toBe(200);
    const workspace = await connect({ host: server.url });
    await (await workspace.attach("c")).wait();
    expect((await workspace.execs()).map(({ execId }) => execId)).toEqual(["c"]);
    expect(await runsOf(server)).toBe("ran\n");
  });
});

async function starter(server: ServedWorkspace) {
  const open = transports["grpc over HTTP/2"];
  if (open === undefined) throw new Error("no such transport");
  const stubs = () => createClient(ExecService, open(server.url));
  const start = async (value = "echo ran | tee -a runs") =>
    await stubs().startExec({ exec: { execId: "tool-call", program: { case: "command", value } } });
  return { stubs: stubs(), start };
}

/** What the command left in its directory: a line for each time it ran. */
async function runsOf(server: ServedWorkspace): Promise<string> {
  return await readFile(join(server.workingDirectory, "runs"), "utf8").catch(() => "");
}

async function first(stream: AsyncIterable<unknown>): Promise<unknown> {
  for await (const message of stream) return message;
  return undefined;
}

async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  return await call.then(
    () => Promise.reject(new Error("the call was answered")),
    (error: ConnectError) => error,
  );
}

/** The reason that a call is refused for; undefined where it is answered. */
async function reasonOf(call: Promise<unknown>): Promise<string | undefined> {
  const error = await call.then(
    () => undefined,
    (caught: ConnectError) => caught,
  );
  const [detail] = error?.findDetails(ErrorDetailSchema) ?? [];
  return Object.entries(ErrorReason).find(([, value]) => value === detail?.reason)?.[0];
}
