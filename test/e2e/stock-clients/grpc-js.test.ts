import { Metadata } from "@grpc/grpc-js";
import type { Client, ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { reflectedClient } from "../../helpers/reflected-client.ts";
import { serve } from "../../helpers/serve.ts";

const KEY = "a-key-of-the-stock-client";
const EXEC = "yonder.workspace.v1.ExecService";

type Event = Record<string, { data?: Buffer; reason?: string; exit_code?: number; cursor?: string }> & {
  event: string;
};

async function execClient(): Promise<{ client: Client; metadata: Metadata }> {
  const server = await serve({ env: { YONDER_SERVER_API_KEYS: KEY } });
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${KEY}`);
  const client = await reflectedClient(`127.0.0.1:${server.port}`, EXEC, metadata);
  onTestFinished(() => client.close());
  return { client, metadata };
}

function stream(
  client: Client,
  method: string,
  request: object,
  metadata: Metadata,
): ClientReadableStream<{ event: Event }> {
  const call = (client as unknown as Record<string, (...args: unknown[]) => ClientReadableStream<{ event: Event }>>)[
    method
  ];
  if (call === undefined) throw new Error(`reflection told of no ${method}`);
  return call.call(client, request, metadata);
}

async function unary<T>(client: Client, method: string, request: object, metadata: Metadata): Promise<T> {
  const call = (client as unknown as Record<string, (...args: unknown[]) => void>)[method];
  return await new Promise((resolve, reject) => {
    call?.call(client, request, metadata, (error: ServiceError | null, answer: T) =>
      error === null ? resolve(answer) : reject(error),
    );
  });
}

test("a grpc-js client built from reflection alone runs a command and sees its output and end", async () => {
  const { client, metadata } = await execClient();
  const events: Event[] = [];
  for await (const { event } of stream(client, "Exec", { command: "printf hello; exit 3" }, metadata))
    events.push(event);
  expect(events.map(({ event }) => event)).toEqual(["started", "output", "ended"]);
  expect(events[1]?.["output"]?.data?.toString()).toBe("hello");
  expect(events[2]?.["ended"]).toMatchObject({ reason: "END_REASON_EXITED", exit_code: 3 });
});

test("it cuts its own call and attaches again at its cursor without a byte lost", async () => {
  const { client, metadata } = await execClient();
  const request = { exec_id: "resumed", command: "seq 1 200000" };
  const pieces: Buffer[] = [];
  let cursor = 0;
  const take = ({ event }: { event: Event }): void => {
    const { data } = event["output"] ?? {};
    if (data === undefined) return;
    pieces.push(data);
    cursor = Number(event["output"]?.cursor) + data.length;
  };
  const first = stream(client, "Exec", request, metadata);
  const cut = new Promise((resolve) => first.on("error", resolve));
  first.on("data", (reply: { event: Event }) => {
    if (pieces.length > 0) return;
    take(reply);
    if (pieces.length > 0) first.cancel();
  });
  await cut;
  for await (const reply of stream(client, "Attach", { exec_id: "resumed", cursor }, metadata)) take(reply);
  const expected = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("");
  expect(Buffer.concat(pieces).toString() === expected).toBe(true);
});

test("everything can be done by unary calls alone, as a client without streams must", async () => {
  const { client, metadata } = await execClient();
  const exec = { exec_id: "unary", command: "read line; echo got $line", stdin: {} };
  await unary(client, "StartExec", { exec }, metadata);
  await unary(client, "WriteStdin", { exec_id: "unary", offset: 0, data: Buffer.from("it\n"), eof: true }, metadata);
  const ended = await unary<{ exec: { state: string } }>(
    client,
    "GetExec",
    { exec_id: "unary", wait: { seconds: 30 } },
    metadata,
  );
  expect(ended.exec.state).toBe("EXEC_STATE_ENDED");
  const part = await unary<{ output: { data: Buffer }[] }>(client, "ReadOutput", { exec_id: "unary" }, metadata);
  expect(Buffer.concat(part.output.map(({ data }) => data)).toString()).toBe("got it\n");
});

test("no unary reply outgrows the 4 MiB that a stock client takes", async () => {
  const { client, metadata } = await execClient();
  // Two streams in turn, a byte at a time, make the most messages of the fewest bytes.
  const command = "for i in $(seq 100000); do printf a; printf b >&2; done";
  await unary(client, "StartExec", { exec: { exec_id: "small-pieces", command } }, metadata);
  await unary(client, "GetExec", { exec_id: "small-pieces", wait: { seconds: 60 } }, metadata);
  const part = await unary<{ output: unknown[] }>(client, "ReadOutput", { exec_id: "small-pieces" }, metadata);
  expect(part.output.length).toBeGreaterThan(0);
});
