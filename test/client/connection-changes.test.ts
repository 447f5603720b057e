import { expect, onTestFinished, test } from "vitest";
import type { ConnectionChange } from "../../client/src/index.ts";
import { collect } from "../helpers/collect.ts";
import { startProxy } from "../helpers/proxy.ts";
import { serve } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";
import { connect } from "../helpers/workspaces.ts";

test("who wants to know is told when the connection is lost and when it works again, once each", async () => {
  const server = await serve();
  const proxy = await startProxy({ target: server.url });
  onTestFinished(() => proxy.close());
  const changes: ConnectionChange[] = [];
  const workspace = await connect({ host: proxy.url, onConnectionChange: (change) => changes.push(change) });
  const handle = await workspace.spawn("read -r line; echo $line");
  const lines = collect(handle.lines());
  await handle.info();
  expect(changes).toEqual([]);

  proxy.refuse();
  proxy.cut();
  await until(() => changes.length > 0);
  // A second call that fails is no second loss.
  const written = handle.stdin.write("a line\n");
  const connections = proxy.connections;
  await until(() => proxy.connections > connections + 2);
  expect(changes).toEqual([{ connected: false, error: expect.any(Error) as Error }]);

  proxy.refuse(false);
  await written;
  expect(await lines).toEqual(["a line"]);
  expect(changes.slice(1)).toEqual([{ connected: true }]);
});
