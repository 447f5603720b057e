import { Code } from "@connectrpc/connect";
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import type { ExecHandle, RemoteWorkspace } from "../../client/src/index.ts";
import { collect } from "../helpers/collect.ts";
import { execRecord, openScriptedServer, refusal, say } from "../helpers/scripted-server.ts";
import { connect } from "../helpers/workspaces.ts";

const ways: [string, (handle: ExecHandle, workspace: RemoteWorkspace) => unknown][] = [
  ["wait", (handle) => handle.wait()],
  ["info", (handle) => handle.info()],
  ["kill", (handle) => handle.kill()],
  ["reading", (handle) => collect(handle.events())],
  ["the end of its scope", (handle) => handle[Symbol.asyncDispose]()],
  ["the workspace's close", (_handle, workspace) => workspace.close()],
];

test.each(ways)("a signal that outlives its command is let go of by %s", async (_name, end) => {
  const workspace = await connect({ host: await openServer(false) });
  const { signal } = new AbortController();
  const handle = await workspace.spawn("true", { signal });
  expect(getEventListeners(signal, "abort").length).toBe(1);
  await end(handle, workspace);
  expect(getEventListeners(signal, "abort").length).toBe(0);
});

test("a command that had ended by the answer to its start is not listened for", async () => {
  const workspace = await connect({ host: await openServer(true) });
  const { signal } = new AbortController();
  await workspace.spawn("true", { signal });
  expect(getEventListeners(signal, "abort").length).toBe(0);
});

/** A server whose commands have ended, and say so in the answer to their start or only later. */
async function openServer(endedAtStart: boolean): Promise<string> {
  const { url } = await openScriptedServer({
    exec: {
      startExec: ({ exec }) => ({ exec: execRecord(exec?.execId ?? "", endedAtStart) }),
      getExec: ({ execId }) => ({ exec: execRecord(execId, true) }),
      sendSignal() {
        throw refusal(Code.FailedPrecondition, "EXEC_ENDED");
      },
      async *attach({ execId }) {
        yield say.started(execId);
        yield say.ended();
      },
    },
  });
  return url;
}
