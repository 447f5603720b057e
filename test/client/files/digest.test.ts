import { readFileSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { RemoteWorkspace, TransferDigest } from "../../../client/src/index.ts";
import { temporaryDirectory } from "../../helpers/file-server.ts";
import { serve } from "../../helpers/serve.ts";
import type { ServedWorkspace } from "../../helpers/serve.ts";
import { connect } from "../../helpers/workspaces.ts";

const pattern = "0123456789abcdef".repeat(4);
const data = Buffer.from(pattern.repeat(50_000));

/** The port of a way to a server on which one byte of the pattern is another one, once and in either direction. */
async function damagedWay(target: string): Promise<number> {
  const { hostname, port } = new URL(target);
  let isDone = false;
  const sockets: Socket[] = [];
  const pass = (from: Socket, to: Socket): void => {
    from.on("error", () => {}).once("close", () => to.destroy());
    from.on("data", (chunk: Buffer) => {
      const at = isDone ? -1 : chunk.indexOf(pattern);
      if (at >= 0) chunk[at] = 0x58;
      isDone ||= at >= 0;
      to.write(chunk);
    });
  };
  const server = createServer((near) => {
    const far = connectTcp(Number(port), hostname);
    sockets.push(near, far);
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Bench {
  readonly server: ServedWorkspace;
  readonly workspace: RemoteWorkspace;
  readonly here: string;
}

async function open(): Promise<Bench> {
  const server = await serve();
  const workspace = await connect({ host: `http://127.0.0.1:${await damagedWay(server.url)}` });
  const here = join(await temporaryDirectory(), "file");
  return { server, workspace, here };
}

async function up({ server, workspace, here }: Bench, digest: TransferDigest): Promise<Buffer | undefined> {
  writeFileSync(here, data);
  const { success, code } = await workspace.fileUpload(here, "there", { digest });
  expect(code).toBe(success ? undefined : "EIO");
  return success ? readFileSync(join(server.workingDirectory, "there")) : undefined;
}

async function down({ server, workspace, here }: Bench, digest: TransferDigest): Promise<Buffer | undefined> {
  writeFileSync(join(server.workingDirectory, "there"), data);
  const { success, code } = await workspace.fileDownload("there", here, { digest });
  expect(code).toBe(success ? undefined : "EIO");
  return success ? readFileSync(here) : undefined;
}

test.each([
  ["up", up],
  ["down", down],
] as const)("a chunk that is damaged on its way %s is sent again where it has a CRC-32", async (_, move) => {
  expect((await move(await open(), "crc32"))?.equals(data)).toBe(true);
});

test.each([
  ["up", up],
  ["down", down],
] as const)("a file that was damaged on its way %s does not appear where it has a SHA-256", async (_, move) => {
  expect(await move(await open(), "sha256")).toBe(undefined);
});

test.each([
  ["up", up],
  ["down", down],
] as const)("a file goes %s as it comes without a digest", async (_, move) => {
  const moved = await move(await open(), "none");
  expect(moved?.length).toBe(data.length);
  expect(moved?.equals(data)).toBe(false);
});

test("a digest that is none is refused by the names of those that are", async () => {
  const { workspace, here } = await open();
  const digest = "md5" as TransferDigest;
  for (const act of [
    () => workspace.fileUpload(data, "x", { digest }),
    () => workspace.fileDownload("x", here, { digest }),
  ]) {
    await expect(act()).rejects.toThrow('digest must be "crc32", "sha256" or "none", got "md5"');
  }
});
