import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Engine } from "../../../client/src/docker/engine.ts";
import { startContainer } from "../../../client/src/docker/start-container.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";

/** An engine that has the image and creates a container, and does nothing else with it but what `answer` says. */
async function openEngine(answer: (method: string) => [status: number, message: string]): Promise<Engine> {
  const socketPath = join(await temporaryDirectory(), "engine.sock");
  const server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    const [status, message] = method === "GET" ? [200, ""] : url.includes("/create?") ? [201, ""] : answer(method);
    const body = status < 300 ? { Id: "abc" } : { message };
    request.resume().once("end", () => response.writeHead(status).end(JSON.stringify(body)));
  });
  server.listen(socketPath);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return new Engine({ target: { socketPath }, host: `unix://${socketPath}`, tls: undefined });
}

const start = (engine: Engine) => startContainer(engine, "image", {}, new AbortController().signal);

test("what a start failed with is told, also where cleaning up after it fails, which is a cause", async () => {
  const engine = await openEngine((method) =>
    method === "DELETE" ? [500, "the storage driver is busy"] : [500, "no space left on device"],
  );
  const error = (await start(engine).catch((reason: unknown) => reason)) as Error;
  expect(error).toMatchObject({ name: "LimitExceeded", reason: "STORAGE_FULL" });
  expect((error.cause as AggregateError).errors).toMatchObject([
    { message: expect.stringContaining("no space left") as string },
    { message: expect.stringContaining("storage driver is busy") as string },
  ]);
});

test("a start that failed and was cleaned up after has its own cause alone", async () => {
  const engine = await openEngine((method) => (method === "DELETE" ? [204, ""] : [500, "no space left on device"]));
  await expect(start(engine)).rejects.toMatchObject({ reason: "STORAGE_FULL", cause: { status: 500 } });
});
