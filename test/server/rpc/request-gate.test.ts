import { ConnectError, createClient } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason, ExecService, WorkspaceService } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { openTestEdge, transports } from "../../helpers/edge.ts";

describe.each([...Object.entries(transports), ["in memory", undefined] as const])("%s", (_name, createTransport) => {
  test("a call that means another workspace runs nothing and is told who answers", async () => {
    let ran = false;
    const startExec = () => {
      ran = true;
      return {};
    };
    const { url, app, workspaceId } = await openTestEdge({ exec: { startExec } });
    const client = createClient(ExecService, createTransport?.(url) ?? app.createTransport());
    const headers = { "yonder-workspace-id": "another-one" };
    const error = ConnectError.from(await client.startExec({}, { headers }).catch((caught: unknown) => caught));
    expect(error.code).toBe(9);
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      {
        reason: ErrorReason.INSTANCE_CHANGED,
        subject: "another-one",
        workspaceId,
        instanceId: expect.stringMatching(/./),
      },
    ]);
    expect(ran).toBe(false);
  });

  test("a call that means this workspace is served", async () => {
    const { url, app, workspaceId } = await openTestEdge();
    const client = createClient(WorkspaceService, createTransport?.(url) ?? app.createTransport());
    await client.getInfo({}, { headers: { "yonder-workspace-id": workspaceId } });
  });
});

test("who is not let in is not told which workspace this is", async () => {
  const { url } = await openTestEdge({ apiKeys: ["a-key-of-this-test"] });
  const client = createClient(WorkspaceService, transports["grpc over HTTP/2"](url));
  const call = client.getInfo({}, { headers: { "yonder-workspace-id": "another-one" } });
  await expect(call).rejects.toMatchObject({ code: 16 });
});
