import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as client from "@yonder/client";
import { ExecService } from "@yonder/proto/yonder/workspace/v1/exec_service";
import { FileService } from "@yonder/proto/yonder/workspace/v1/file_service";
import { GitService } from "@yonder/proto/yonder/workspace/v1/git_service";
import { WorkspaceService } from "@yonder/proto/yonder/workspace/v1/workspace_service";
import { run } from "../helpers/run.ts";
import { root } from "./pages.ts";

let directory: string;

// TypeDoc warns of every link in a doc comment that leads nowhere, and ends with a failure then.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "yonder-reference-"));
  const { exitCode, stdout, stderr } = await run(process.execPath, [join(root, "scripts/reference.mjs"), directory]);
  if (exitCode !== 0) throw new Error(`${stderr}${stdout}`);
}, 300_000);

afterAll(async () => await rm(directory, { recursive: true, force: true }));

test("the contract's reference has every rpc", async () => {
  const page = await readFile(join(directory, "contract.html"), "utf8");
  const services = [ExecService, FileService, GitService, WorkspaceService];
  const rpcs = services.flatMap((service) => service.methods.map(({ name }) => name));
  expect(rpcs.filter((name) => !page.includes(`<td>${name}</td>`))).toEqual([]);
});

test("the client's reference has everything that it exports", async () => {
  const files = await readdir(join(directory, "typescript"), { recursive: true });
  const documented = new Set(files.map((file) => file.replace(/^.*[./]([^./]+)\.html$/, "$1")));
  expect(Object.keys(client).filter((name) => !documented.has(name))).toEqual([]);
});
