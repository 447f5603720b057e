import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { RemoteWorkspace } from "../../../client/src/index.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";
import { serve } from "../../helpers/serve.ts";
import { connect } from "../../helpers/workspaces.ts";

let workspace: RemoteWorkspace;
let here: string;

beforeEach(async () => {
  const server = await serve();
  mkdirSync(join(server.workingDirectory, "tree"));
  for (const name of ["a", "b"]) writeFileSync(join(server.workingDirectory, "tree", name), name.repeat(100_000));
  workspace = await connect({ host: server.url });
  here = await temporaryDirectory();
});

// A cut would be gone over for two minutes.
test("a tree that cannot be written on this machine is told as the disk tells it, and not tried again", async () => {
  writeFileSync(join(here, "file"), "");
  await expect(workspace.fs.downloadTree("tree", join(here, "file"))).rejects.toMatchObject({ code: "EEXIST" });
  mkdirSync(join(here, "target/b/in the way"), { recursive: true });
  await expect(workspace.fs.downloadTree("tree/.", join(here, "target"))).rejects.toMatchObject({
    code: expect.stringMatching(/^(EISDIR|ENOTEMPTY|EEXIST)$/) as string,
  });
});

test("what a callback throws ends the download of a tree with it", async () => {
  const failure = new Error("seen enough");
  const onProgress = () => {
    throw failure;
  };
  await expect(workspace.fs.downloadTree("tree", join(here, "target"), { onProgress })).rejects.toBe(failure);
});
