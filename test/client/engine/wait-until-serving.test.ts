import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freshKey, keyOf } from "../../../client/src/engine/fresh-key.ts";
import { waitUntilServing } from "../../../client/src/engine/wait-until-serving.ts";
import type { WaitUntilServingOptions } from "../../../client/src/engine/wait-until-serving.ts";
import { AbortError, Authentication, StartFailed } from "../../../client/src/index.ts";
import { startServer } from "../../../server/src/index.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";

const { key, digest } = freshKey();

test("a server that is on its way up is connected to as soon as it serves", async () => {
  const socket = join(await temporaryDirectory(), "yonder.sock");
  let asked = 0;
  const waiting = waitUntilServing({
    ...waitFor(socket),
    whyDead: async () => {
      asked += 1;
      if (asked === 3) await serve(socket);
      return undefined;
    },
  });
  const { connection } = await waiting;
  expect(connection.peer?.workspaceId).not.toBe("");
  connection.close();
});

test("what died is told with its own reason, and what never serves with its last lines", async () => {
  const socket = join(await temporaryDirectory(), "yonder.sock");
  const dead = new Error("it died");
  await expect(waitUntilServing({ ...waitFor(socket), whyDead: async () => dead })).rejects.toBe(dead);

  const error = await waitUntilServing({ ...waitFor(socket), timeoutMs: 50 }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StartFailed);
  expect(error).toMatchObject({ reason: "START_TIMED_OUT", subject: "thing one", log: ["a line"], retryable: true });
  expect((error as Error).message).toMatch(/^thing one did not serve within 50 ms; it printed last:\na line$/);
});

test("a key that is not taken and a signal that is aborted are not waited out", async () => {
  const socket = join(await temporaryDirectory(), "yonder.sock");
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(waitUntilServing({ ...waitFor(socket), signal })).rejects.toBeInstanceOf(AbortError);

  await serve(socket);
  const connect = { host: `unix://${socket}`, apiKey: "another-key-that-is-long-enough" };
  await expect(waitUntilServing({ ...waitFor(socket), connect })).rejects.toBeInstanceOf(Authentication);
});

test("a wait is over when its signal is aborted, also while a server that says nothing is waited for", async () => {
  const socket = join(await temporaryDirectory(), "yonder.sock");
  const abort = new AbortController();
  const silent = createServer((connection) => {
    connection.on("error", () => {}).resume();
    abort.abort(new Error("enough"));
  }).listen(socket);
  onTestFinished(() => void silent.close());
  await once(silent, "listening");
  let asked = 0;
  const whyDead = async (): Promise<undefined> => void asked++;
  const waiting = waitUntilServing({ ...waitFor(socket), signal: abort.signal, whyDead });
  await expect(waiting).rejects.toMatchObject({ name: "AbortError", message: "the start of thing one was aborted" });
  expect(asked).toBe(0);
});

test("every key is another, and its digest is the one that servers take", () => {
  expect(freshKey().key).not.toBe(key);
  expect(keyOf(key)).toEqual({ key, digest });
  expect(digest).toMatch(/^sha256:[\da-f]{64}$/);
});

function waitFor(socket: string): WaitUntilServingOptions {
  return {
    connect: { host: `unix://${socket}`, apiKey: key },
    subject: "thing one",
    timeoutMs: 30_000,
    whyDead: async () => undefined,
    lastLines: async () => ["a line"],
  };
}

async function serve(socket: string): Promise<void> {
  const server = await startServer({ socket, workingDirectory: await temporaryDirectory(), apiKeys: [digest] });
  onTestFinished(() => server.close({ graceMs: 0 }));
}
