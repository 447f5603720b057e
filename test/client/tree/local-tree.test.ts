import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { walkLocalTree } from "../../../client/src/tree/local-tree.ts";
import { QuickDisk } from "../../../transfer/src/quick-disk.ts";

test.each([true, false])(
  "a directory that goes away while a tree is read is passed over, read at once: %s",
  async (isLocal) => {
    const directory = await mkdtemp(join(tmpdir(), "yonder-tree-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await mkdir(join(directory, "a/b"), { recursive: true });
    await writeFile(join(directory, "c"), "");
    const names: string[] = [];
    for await (const { name } of walkLocalTree(directory, { disk: new QuickDisk({ isLocal }) })) {
      names.push(name);
      if (name === "a") await rm(join(directory, "a"), { recursive: true });
    }
    expect(names).toEqual(["a", "c"]);
  },
);
