import { createClient } from "@connectrpc/connect";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { Health } from "@yonder/proto/grpc/health/v1/health";
import { expect, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";
import { tick } from "../../helpers/time.ts";

test("calls are activity, looking at the server is none", async () => {
  const { app, activity } = await openTestEdge({ exec: { getExec: () => ({}) } });
  const transport = app.createTransport();
  const before = activity.lastTime.getTime();
  await tick(5);
  await createClient(Health, transport).check({});
  await createClient(WorkspaceService, transport).getInfo({});
  expect(activity.lastTime.getTime()).toBe(before);
  await createClient(ExecService, transport).getExec({});
  expect(activity.lastTime.getTime()).toBeGreaterThan(before);
});

test("a stream is active for as long as something comes", async () => {
  async function* exec() {
    yield {};
    await tick(20);
    yield {};
  }
  const { app, activity } = await openTestEdge({ exec: { exec } });
  const times: number[] = [];
  for await (const _ of createClient(ExecService, app.createTransport()).exec({})) {
    times.push(activity.lastTime.getTime());
  }
  expect(activity.lastTime.getTime()).toBeGreaterThan(times[0] ?? 0);
});
