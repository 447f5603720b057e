import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { finish } from "../../helpers/git-operations.ts";
import { openGitServer } from "../../helpers/git-server.ts";
import { makeRepository, openRepository, temporaryDirectory } from "../../helpers/repositories.ts";

test("a clone brings a branch, a tag or a commit, whole or shallow", async () => {
  const origin = makeRepository();
  origin.write("a", "1");
  const first = origin.commit();
  origin.git("tag", "v1");
  origin.write("a", "2");
  const second = origin.commit();
  origin.git("branch", "side", first);
  const directory = temporaryDirectory();
  const { client } = await openGitServer(directory);
  const url = `file://${origin.path}`;
  const clone = async (request: object): Promise<object> =>
    (await finish(client.cloneRepository({ url, ...request }))).result;
  expect(await clone({})).toMatchObject({ path: join(directory, "repository"), headId: second, branch: "main" });
  expect(await clone({ path: "deep/er/side", revision: "side" })).toMatchObject({ headId: first, branch: "side" });
  expect(await clone({ path: "tag", revision: "v1", depth: 1 })).toMatchObject({ headId: first, branch: "" });
  expect(await clone({ path: "short", revision: first.slice(0, 10) })).toMatchObject({ headId: first, branch: "" });
  expect(await clone({ path: "shallow", depth: 1 })).toMatchObject({ headId: second });
  expect(openRepository(join(directory, "shallow")).git("rev-list", "--count", "HEAD")).toBe("1");
  expect(openRepository(join(directory, "repository")).git("remote", "get-url", "origin")).toBe(url);
  const bytes = Buffer.from("n\xff", "latin1");
  expect(Buffer.from(((await clone({ rawPath: bytes })) as { rawPath: Uint8Array }).rawPath)).toEqual(
    Buffer.concat([Buffer.from(`${directory}/`), bytes]),
  );
  writeFileSync(join(directory, "file"), "");
  await expectReason(client.cloneRepository({ url, path: "repository" }), "FILE_EXISTS");
  await expectReason(client.cloneRepository({ url, path: "file" }), "FILE_EXISTS");
  await expectReason(client.cloneRepository({ url, path: "file/below" }), "NOT_A_DIRECTORY");
});

test("a clone tells its progress", async () => {
  const origin = makeRepository();
  for (let index = 0; index < 300; index++) origin.write(`file${index}`, `${index}`.repeat(100));
  origin.commit();
  const { client } = await openGitServer(temporaryDirectory());
  const { progress, started } = await finish(
    client.cloneRepository({ url: `file://${origin.path}`, requestId: "mine" }),
  );
  expect(started.requestId).toBe("mine");
  const received = progress.filter(({ phase }) => phase === "Receiving objects").at(-1);
  expect(received).toMatchObject({ done: 302n, total: 302n });
});

test("a clone that fails leaves nothing behind, and an empty directory as it was", async () => {
  const origin = makeRepository();
  origin.commit();
  const directory = temporaryDirectory();
  const { client } = await openGitServer(directory);
  const url = origin.path;
  await expectReason(client.cloneRepository({ url, path: "a/b/c", revision: "nope" }), "REF_NOT_FOUND");
  await expectReason(client.cloneRepository({ url: `${url}-none`, path: "a/b/c" }), "REMOTE_NOT_FOUND");
  await expectReason(client.cloneRepository({ url, path: "d", revision: "0123456789abcdef" }), "REF_NOT_FOUND");
  expect(readdirSync(directory)).toEqual([]);
  const kept = join(directory, "kept");
  makeRepository(join(kept, "x"));
  const empty = await openGitServer(temporaryDirectory());
  await expectReason(empty.client.cloneRepository({ url, path: ".", revision: "nope" }), "REF_NOT_FOUND");
  await finish(empty.client.cloneRepository({ url, path: "." }));
});
