import { createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { iterate } from "../../helpers/collect.ts";
import { openTestEdge, transports } from "../../helpers/edge.ts";
import { patient, tick } from "../../helpers/time.ts";

const inMemory = "in memory";

describe.each([...Object.entries(transports), [inMemory, undefined] as const])("%s", (_name, createTransport) => {
  async function open(options: Parameters<typeof openTestEdge>[0] = {}) {
    const edge = await openTestEdge(options);
    const transport: Transport = createTransport?.(edge.url) ?? edge.app.createTransport();
    return { ...edge, transport };
  }

  test("answers a unary call", async () => {
    const { transport, workspaceId } = await open();
    expect((await createClient(WorkspaceService, transport).getInfo({})).workspaceId).toBe(workspaceId);
  });

  test("delivers each event of a stream when it happens", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const exec = async function* () {
      yield { event: { event: { case: "heartbeat", value: { cursor: 1n } } } } as const;
      await released;
      yield { event: { event: { case: "heartbeat", value: { cursor: 2n } } } } as const;
    };
    const { transport } = await open({ exec: { exec } });
    const cursors: unknown[] = [];
    for await (const { event } of createClient(ExecService, transport).exec({})) {
      cursors.push(event?.event.value);
      release();
    }
    expect(cursors).toMatchObject([{ cursor: 1n }, { cursor: 2n }]);
  });

  test("runs a stream's finally when its caller goes away while it is suspended at a yield", async () => {
    let finished = 0;
    const data = Buffer.alloc(256 * 1024);
    const exec = async function* () {
      try {
        for (;;) yield { event: { event: { case: "output", value: { data } } } } as const;
      } finally {
        finished += 1;
      }
    };
    const { transport } = await open({ exec: { exec } });
    const abort = new AbortController();
    const events = iterate(createClient(ExecService, transport).exec({}, { signal: abort.signal }));
    await events.next();
    // Until the generator stands still with everything in between full.
    await tick(200);
    abort.abort();
    await events.next().catch(() => {});
    await expect.poll(() => finished, patient).toBe(1);
  });

  test("runs a stream's finally when its deadline passes, and says so to its caller", async () => {
    let finished = 0;
    const exec = async function* (_request: unknown, { signal }: { signal: AbortSignal }) {
      try {
        yield { event: { event: { case: "heartbeat", value: {} } } } as const;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      } finally {
        finished += 1;
      }
    };
    const { transport } = await open({ exec: { exec } });
    const read = async (): Promise<void> => {
      for await (const _ of createClient(ExecService, transport).exec({}, { timeoutMs: 1_000 }));
    };
    await expect(read()).rejects.toMatchObject({ code: 4 });
    await expect.poll(() => finished, patient).toBe(1);
  });
});
