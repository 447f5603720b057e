import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { LocalWorkspace } from "../../../client/src/local-workspace.ts";
import { temporaryDirectory } from "../../helpers/file-server.ts";

const never = new Promise<never>(() => {});

/** Gives something, then nothing for ever. */
async function* silent(told: () => void): AsyncGenerator<string> {
  yield "first";
  told();
  await never;
}

async function openWorkspace(): Promise<LocalWorkspace> {
  return LocalWorkspace.open({ workingDir: await temporaryDirectory() });
}

type Send = (workspace: LocalWorkspace, source: AsyncIterable<string>, signal?: AbortSignal) => Promise<unknown>;

const sends: [name: string, send: Send][] = [
  ["fileUpload", (workspace, source, signal) => workspace.fileUpload(source, "target", { signal })],
  ["writeFile", (workspace, source, signal) => workspace.fs.writeFile("target", source, { signal })],
  [
    "writeFiles",
    (workspace, source, signal) =>
      workspace.fs.writeFiles(
        (async function* () {
          for await (const data of source) yield { path: "target", data };
        })(),
        { signal },
      ),
  ],
];

describe.each(sends)("a source that gives nothing any more, under %s,", (_name, send) => {
  test("is left when the call is aborted", async () => {
    await using workspace = await openWorkspace();
    const abort = new AbortController();
    const sent = send(
      workspace,
      silent(() => abort.abort()),
      abort.signal,
    );
    await expect(sent).rejects.toMatchObject({ name: "AbortError" });
    expect(await workspace.fs.readdir(".")).toEqual([]);
  });

  test("is left when the workspace is closed", async () => {
    const workspace = await openWorkspace();
    const sent = send(
      workspace,
      silent(() => void workspace.close()),
    );
    await expect(sent).rejects.toMatchObject({ reason: "WORKSPACE_CLOSED" });
  });
});

test("what is no source is refused by name", async () => {
  await using workspace = await openWorkspace();
  const refused = { reason: "INVALID_FIELD", subject: "source" };
  for (const source of [5, undefined, {}]) {
    await expect(workspace.fileUpload(source as never, "target")).rejects.toMatchObject(refused);
    await expect(workspace.fs.writeFile("target", source as never)).rejects.toMatchObject(refused);
  }
});

test("a stream is let go of when what it gave cannot be written", async () => {
  await using workspace = await openWorkspace();
  await workspace.fs.mkdir("taken");
  const stream = new PassThrough();
  stream.write(Buffer.alloc(5 << 20));
  await expect(workspace.fs.writeFile("taken", stream)).rejects.toMatchObject({ code: "EISDIR" });
  expect(stream.destroyed).toBe(true);
});

describe("a named pipe", () => {
  async function makePipe(): Promise<string> {
    const pipe = join(await temporaryDirectory(), "pipe");
    execFileSync("mkfifo", [pipe]);
    return pipe;
  }

  test("is read to its end, whenever its writer comes", async () => {
    await using workspace = await openWorkspace();
    const pipe = await makePipe();
    const sent = workspace.fileUpload(pipe, "target");
    const data = Buffer.alloc(5 << 20, "0123456789");
    const writer = spawn("dd", [`of=${pipe}`, "status=none"], { stdio: ["pipe", "inherit", "inherit"] });
    writer.stdin.end(data);
    expect(await sent).toMatchObject({ success: true, fileSize: data.length });
    expect((await workspace.fs.readFile("target")).equals(data)).toBe(true);
  });

  test("that nobody writes to is left when the call is aborted", async () => {
    await using workspace = await openWorkspace();
    const pipe = await makePipe();
    const abort = new AbortController();
    const sent = workspace.fileUpload(pipe, "target", { signal: abort.signal });
    await new Promise(setImmediate);
    abort.abort();
    await expect(sent).rejects.toMatchObject({ name: "AbortError" });
  });
});
