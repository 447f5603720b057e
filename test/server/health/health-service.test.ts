import { createClient } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@yonder/proto/grpc/health/v1/health";
import { describe, expect, test } from "vitest";
import { iterate } from "../../helpers/collect.ts";
import { openTestEdge, transports } from "../../helpers/edge.ts";

const known = ["", "yonder.workspace.v1.ExecService", "yonder.workspace.v1.WorkspaceService"];

describe.each([...Object.entries(transports), ["in memory", undefined] as const])("%s", (_name, createTransport) => {
  async function open() {
    const edge = await openTestEdge();
    return { ...edge, client: createClient(Health, createTransport?.(edge.url) ?? edge.app.createTransport()) };
  }

  test.each(known)("Check says that %j serves, and once the server stops that it does not", async (service) => {
    const { client, app } = await open();
    expect((await client.check({ service })).status).toBe(Status.SERVING);
    app.health.stop();
    expect((await client.check({ service })).status).toBe(Status.NOT_SERVING);
  });

  test("Check of an unknown service is NOT_FOUND", async () => {
    const { client } = await open();
    await expect(client.check({ service: "nobody.knows.It" })).rejects.toMatchObject({ code: 5 });
  });

  test("Watch tells the status at once, then the change, and ends", async () => {
    const { client, app } = await open();
    const watch = iterate(client.watch({ service: "yonder.workspace.v1.ExecService" }));
    expect((await watch.next()).value?.status).toBe(Status.SERVING);
    const next = watch.next();
    app.health.stop();
    expect((await next).value?.status).toBe(Status.NOT_SERVING);
    await expect(watch.next()).rejects.toMatchObject({ code: 14 });
  });

  test("Watch of an unknown service says SERVICE_UNKNOWN and goes on", async () => {
    const { client, app } = await open();
    const watch = iterate(client.watch({ service: "nobody.knows.It" }));
    expect((await watch.next()).value?.status).toBe(Status.SERVICE_UNKNOWN);
    const next = watch.next();
    app.health.stop();
    await expect(next).rejects.toMatchObject({ code: 14 });
  });

  test("Watch ends when its caller goes away", async () => {
    const { client } = await open();
    const abort = new AbortController();
    const watch = iterate(client.watch({}, { signal: abort.signal }));
    await watch.next();
    const next = watch.next();
    abort.abort();
    await expect(next).rejects.toMatchObject({ code: 1 });
  });

  test("List has every service", async () => {
    const { client } = await open();
    const { statuses } = await client.list({});
    expect(Object.keys(statuses)).toEqual(expect.arrayContaining(known));
  });
});
