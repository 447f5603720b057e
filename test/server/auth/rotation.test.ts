import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import type { Interceptor } from "@connectrpc/connect";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../helpers/certificates.ts";
import { iterate } from "../../helpers/collect.ts";
import { openTestEdge, transports } from "../../helpers/edge.ts";
import { patient, tick } from "../../helpers/time.ts";

const oldKey = "the-key-of-yesterday";
const newKey = "the-key-of-today-now";

/** The docs promise 5 s; a machine that is busy with other tests is given more. */
const promised = { ...patient, interval: 50 };

async function open(apiKeyFile: string, options: Parameters<typeof openTestEdge>[0] = {}) {
  const edge = await openTestEdge({ ...options, settings: { apiKeyFile } });
  const callWith = (key: string) => {
    const withKey: Interceptor = (next) => (request) => {
      request.header.set("x-api-key", key);
      return next(request);
    };
    return transports["grpc over HTTP/2"](edge.url, { interceptors: [withKey] });
  };
  const isLetIn = async (key: string): Promise<boolean> =>
    await createClient(WorkspaceService, callWith(key))
      .getInfo({})
      .then(
        () => true,
        () => false,
      );
  return { ...edge, callWith, isLetIn };
}

const replacements: Record<string, (file: string, content: string) => Promise<void>> = {
  "written in place": async (file, content) => await writeFile(file, content),
  "renamed over": async (file, content) => {
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  },
  "removed and made anew": async (file, content) => {
    await rm(file);
    await tick(300);
    await writeFile(file, content);
  },
};

test.each(Object.entries(replacements))("a key file that is %s is read again", async (_how, replace) => {
  const file = join(await temporaryDirectory(), "keys");
  await writeFile(file, `${oldKey}\n`);
  const { isLetIn } = await open(file);
  expect([await isLetIn(oldKey), await isLetIn(newKey)]).toEqual([true, false]);
  await replace(file, `${newKey}\n`);
  await expect.poll(async () => await isLetIn(newKey), promised).toBe(true);
  expect(await isLetIn(oldKey)).toBe(false);
});

test("a key file behind links that are swapped as Kubernetes does it is read again", async () => {
  const directory = await temporaryDirectory();
  for (const [version, key] of Object.entries({ "..one": oldKey, "..two": newKey })) {
    await mkdir(join(directory, version));
    await writeFile(join(directory, version, "keys"), `${key}\n`);
  }
  await symlink("..one", join(directory, "..data"));
  await symlink("..data/keys", join(directory, "keys"));
  const { isLetIn } = await open(join(directory, "keys"));
  expect(await isLetIn(oldKey)).toBe(true);
  await symlink("..two", join(directory, "..data_tmp"));
  await rename(join(directory, "..data_tmp"), join(directory, "..data"));
  await expect.poll(async () => await isLetIn(newKey), promised).toBe(true);
  expect(await isLetIn(oldKey)).toBe(false);
});

test("a stream goes on when its key is revoked, while new calls with it are refused", async () => {
  const file = join(await temporaryDirectory(), "keys");
  await writeFile(file, `${oldKey}\n`);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  async function* attach() {
    yield { event: { event: { case: "heartbeat", value: { cursor: 1n } } } } as const;
    await released;
    yield { event: { event: { case: "heartbeat", value: { cursor: 2n } } } } as const;
  }
  const { callWith, isLetIn } = await open(file, { exec: { attach } });
  const events = iterate(createClient(ExecService, callWith(oldKey)).attach({}));
  await events.next();
  await writeFile(file, `${newKey}\n`);
  await expect.poll(async () => await isLetIn(oldKey), promised).toBe(false);
  expect(await isLetIn(newKey)).toBe(true);
  release();
  expect((await events.next()).value).toMatchObject({ event: { event: { value: { cursor: 2n } } } });
  expect((await events.next()).done).toBe(true);
});

test.each([
  ["is gone", async (file: string) => await rm(file)],
  ["is broken", async (file: string) => await writeFile(file, "too short\n")],
])("when the key file %s, the keys in use stay and the log says so", async (_what, damage) => {
  const file = join(await temporaryDirectory(), "keys");
  await writeFile(file, `${oldKey}\n`);
  const { isLetIn, log } = await open(file);
  await damage(file);
  await expect
    .poll(() => log.map(({ msg }) => msg), promised)
    .toContain("the changed API keys cannot be used; the keys in use stay");
  expect(await isLetIn(oldKey)).toBe(true);
});

test("when the key file is emptied, nobody is let in", async () => {
  const file = join(await temporaryDirectory(), "keys");
  await writeFile(file, `${oldKey}\n`);
  const { isLetIn } = await open(file);
  await writeFile(file, "");
  await expect.poll(async () => await isLetIn(oldKey), promised).toBe(false);
});

test("a file with plain keys is warned of, one with digests is not", async () => {
  const file = join(await temporaryDirectory(), "keys");
  await writeFile(file, `${oldKey}\n`, { mode: 0o644 });
  const plain = await open(file);
  const warnings = (log: readonly Record<string, unknown>[]) => log.filter(({ level }) => level === 40);
  expect(warnings(plain.log).map(({ msg }) => msg)).toEqual([
    expect.stringContaining("every user of this machine can read"),
    expect.stringContaining("commands run as the server's user can read"),
  ]);
  await writeFile(file, `sha256:${"0".repeat(64)}\n`);
  const hashed = await open(file);
  expect(warnings(hashed.log)).toEqual([]);
});

test.each([
  ["that does not exist", undefined, /cannot be read/],
  ["without a key", "# nothing\n", /holds no key/],
  ["with a key that is too short", "short\n", /line 1: a key has at least 16 characters, this one has 5/],
])("a server with a key file %s does not start", async (_what, content, message) => {
  const file = join(await temporaryDirectory(), "keys");
  if (content !== undefined) await writeFile(file, content);
  await expect(open(file)).rejects.toThrow(message);
});
