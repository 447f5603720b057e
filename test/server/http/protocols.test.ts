import { createClient } from "@connectrpc/connect";
import { WorkspaceService } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { openTestEdge, transports } from "../../helpers/edge.ts";

describe.each(Object.entries(transports))("%s", (_name, createTransport) => {
  test("answers a unary call", async () => {
    const { url, workspaceId } = await openTestEdge();
    const client = createClient(WorkspaceService, createTransport(url));
    expect((await client.getInfo({})).workspaceId).toBe(workspaceId);
  });
});
