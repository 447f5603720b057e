import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openConnection } from "../../client/src/connection/open-connection.ts";
import { Shortcut } from "../../client/src/connection/shortcut.ts";
import type { SocketPlace } from "../../client/src/connection/shortcut.ts";
import { temporaryDirectory } from "../helpers/certificates.ts";
import { openTestEdge } from "../helpers/edge.ts";

/** Below a directory of this user's. */
function place(root: string, ...names: string[]): SocketPlace {
  return { root, names, ownFile: "/proc/self" };
}

/** Connects, and answers by which ways the calls came. */
async function waysTo(edge: Awaited<ReturnType<typeof openTestEdge>>, find: () => SocketPlace | undefined) {
  const { connection } = await openConnection({ host: edge.url, shortcut: new Shortcut(find) });
  onTestFinished(() => connection.close());
  expect(connection.host).toBe(edge.url);
  await expect.poll(() => peersIn(edge.log)).not.toEqual([]);
  return peersIn(edge.log);
}

function peersIn(log: readonly Record<string, unknown>[]): string[] {
  return log.filter(({ msg }) => msg === "call").map(({ peer }) => (peer === "unix" ? "socket" : "address"));
}

test.skipIf(process.platform !== "linux")(
  "calls go by the socket where it is open, however long its path",
  async () => {
    const directory = await temporaryDirectory();
    const socket = join(directory, "yonder.sock");
    const edge = await openTestEdge({ settings: { socket } });
    const far = "a".repeat(150);
    mkdirSync(join(directory, far));
    renameSync(socket, join(directory, far, "yonder.sock"));
    expect(await waysTo(edge, () => place(directory, far, "yonder.sock"))).toEqual(["socket"]);
  },
);

test("calls go by the address where there is no socket, or nobody says where", async () => {
  const directory = await temporaryDirectory();
  for (const found of [undefined, place(directory, "yonder.sock"), place(join(directory, "none"), "a", "b")]) {
    const edge = await openTestEdge();
    expect(await waysTo(edge, () => found)).toEqual(["address"]);
  }
});

test("no link is followed to a socket", async () => {
  const directory = await temporaryDirectory();
  const socket = join(directory, "yonder.sock");
  symlinkSync(socket, join(directory, "link"));
  symlinkSync(directory, join(directory, "around"));
  await openTestEdge({ settings: { socket } });
  expect(new Shortcut(() => place(directory, "around", "yonder.sock")).open()).toBeUndefined();
  const toLink = new Shortcut(() => place(directory, "link"));
  const refused = toLink.open();
  if (refused !== undefined) expect(await once(refused, "error")).toMatchObject([{ code: "ECONNREFUSED" }]);
  expect(toLink.open()).toBeUndefined();
});

test.skipIf(process.getuid?.() !== 0)("a socket of another user's is not the server's, and gets no key", async () => {
  const directory = await temporaryDirectory();
  const socket = join(directory, "yonder.sock");
  await openTestEdge({ settings: { socket } });
  chownSync(socket, 12_345, 12_345);
  expect(new Shortcut(() => place(directory, "yonder.sock")).open()).toBeUndefined();
});

test("a socket that nobody listens on any more is left for the address", async () => {
  const socket = join(await temporaryDirectory(), "yonder.sock");
  const listen = `require("node:net").createServer().listen(${JSON.stringify(socket)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(existsSync(socket)).toBe(true);
  const edge = await openTestEdge();
  const shortcut = new Shortcut(() => place(dirname(socket), basename(socket)));
  const options = { host: edge.url, shortcut };
  // The first one finds that out.
  const connection = await openConnection(options)
    .catch(() => openConnection(options))
    .then((opened) => opened.connection);
  onTestFinished(() => connection.close());
  await expect.poll(() => peersIn(edge.log)).toEqual(["address"]);
});
