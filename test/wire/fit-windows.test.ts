import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { ClientHttp2Session, Http2Server, ServerHttp2Session, Settings } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { aheadBytes, firstWindowBytes, fitWindows } from "../../wire/src/fit-windows.ts";
import { startProxy } from "../helpers/proxy.ts";

async function listen(): Promise<{ server: Http2Server; url: string }> {
  const server = createServer({ settings: { initialWindowSize: firstWindowBytes } });
  server.on("session", (session) => fitWindows(session.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function open(url: string): ClientHttp2Session {
  const session = connect(url).on("error", () => {});
  onTestFinished(() => session.destroy());
  return session;
}

/** The stream windows that a peer tells, one after the other. */
async function* windows(session: ClientHttp2Session): AsyncGenerator<number> {
  for (;;) {
    const [settings] = (await once(session, "remoteSettings")) as [Settings];
    yield settings.initialWindowSize ?? 0;
  }
}

test("windows grow with the time that an answer takes, up to a limit", async () => {
  const { server, url } = await listen();
  await using proxy = await startProxy({ target: url, delayMs: 20 });
  const opened = once(server, "session") as Promise<[ServerHttp2Session]>;
  const told = windows(open(proxy.url));
  expect((await told.next()).value).toBe(firstWindowBytes);
  const [session] = await opened;
  expect(aheadBytes(undefined)).toBe(firstWindowBytes / 4);
  expect((await told.next()).value).toBe(32 << 20);
  expect(aheadBytes(session)).toBe(8 << 20);
});

test("a stream that is open already gets the wider window too", async () => {
  const { server, url } = await listen();
  await using proxy = await startProxy({ target: url, delayMs: 20 });
  const session = open(proxy.url);
  const stream = session.request({ ":method": "POST" });
  const [taken] = (await once(server, "stream")) as [NodeJS.ReadableStream];
  let sent = 0;
  const told = windows(session);
  await told.next();
  await told.next();
  // Nobody reads it: what can be sent is the window.
  const chunk = Buffer.alloc(1 << 20);
  for (let left = 8; left > 0; left--) {
    await new Promise((resolve) => stream.write(chunk, resolve));
    sent += chunk.length;
  }
  expect(sent).toBeGreaterThan(2 * firstWindowBytes);
  taken.on("error", () => {});
});

test("a connection that ends while its line is asked for the time leaves nothing behind", async () => {
  const { server, url } = await listen();
  const ended = once(server, "session").then(([session]: unknown[]) => once(session as ClientHttp2Session, "close"));
  const session = open(url);
  session.once("connect", () => session.destroy());
  await ended;
});
