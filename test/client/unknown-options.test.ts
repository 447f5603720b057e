import { expect, onTestFinished, test } from "vitest";
import { createWorkspace } from "../../client/src/index.ts";
import type { Workspace } from "../../client/src/index.ts";
import { temporaryDirectory } from "../helpers/certificates.ts";

async function openLocal(): Promise<Workspace> {
  const workspace = await createWorkspace({ workingDir: await temporaryDirectory() });
  onTestFinished(() => workspace.close());
  return workspace;
}

/** Options as they come from JavaScript, where nothing has looked at their names. */
const js = (options: object): never => options as never;

const calls: readonly [string, (workspace: Workspace) => Promise<unknown>, string | RegExp][] = [
  ["executeCommand", (w) => w.executeCommand("true", js({ timeoutMS: 1 })), "timeoutMS is called timeoutMs here"],
  [
    "executeCommand",
    (w) => w.executeCommand("true", js({ timeout: 1 })),
    "timeout is not an option here; did you mean timeoutMs?",
  ],
  [
    "executeCommand",
    (w) => w.executeCommand("true", js({ limits: { memory: 1 } })),
    "limits.memory is not an option here",
  ],
  ["spawn", (w) => w.spawn("true", js({ idle_timeout_ms: 1 })), "idle_timeout_ms is called idleTimeoutMs here"],
  ["spawn", (w) => w.spawn("true", js({ terminal: { cols: 1 } })), "terminal.cols is not an option here"],
  ["spawn", (w) => w.spawn("true", js({ onStdout: () => {} })), "onStdout is not an option here"],
  ["attach", (w) => w.attach("id", js({ curser: 5 })), "curser is not an option here; did you mean cursor?"],
  ["execs", (w) => w.execs(js({ label: {} })), "label is not an option here; did you mean labels?"],
  ["fileUpload", (w) => w.fileUpload(Buffer.of(1), "f", js({ ifmatch: "x" })), "ifmatch is called ifMatch here"],
  [
    "fileDownload",
    (w) => w.fileDownload("f", undefined, js({ resumed: true })),
    "resumed is not an option here; did you mean resume?",
  ],
  ["uploadTree", (w) => w.fs.uploadTree("/etc", "t", js({ exclud: [] })), /did you mean exclude\?$/],
  [
    "downloadTree",
    (w) => w.fs.downloadTree(".", "/nowhere", js({ git_ignore: true })),
    /^git_ignore is called gitignore/,
  ],
];

test.each(calls)(
  "%s refuses an option of a name that it does not have, before it does anything: %#",
  async (...row) => {
    const [, call, message] = row;
    const workspace = await openLocal();
    await expect(call(workspace)).rejects.toMatchObject({
      name: "InvalidRequest",
      reason: "INVALID_FIELD",
      message: typeof message === "string" ? message : (expect.stringMatching(message) as string),
    });
    expect([await workspace.execs(), await workspace.fs.readdir(".")]).toEqual([[], []]);
  },
);

test.each([
  [{ timeouts: { conectMs: 1 } }, "timeouts.conectMs is not an option here; did you mean connectMs?"],
  [{ retry: { maxElapsed: 1 } }, "retry.maxElapsed is not an option here; did you mean maxElapsedMs?"],
  [{ tls: { rejectUnauthorised: false } }, /^tls.rejectUnauthorised .* did you mean rejectUnauthorized\?$/],
  [{ defaults: { timeout: 1 } }, "defaults.timeout is not an option here; did you mean timeoutMs?"],
  [{ api_key: "key" }, "api_key is called apiKey here"],
])("a workspace is not connected to with %j", async (options, message) => {
  const connecting = createWorkspace(js({ host: "http://127.0.0.1:1", ...options }));
  await expect(connecting).rejects.toMatchObject({ name: "InvalidRequest", message: expect.stringMatching(message) });
});

test("a workspace here refuses what only one far away has", async () => {
  const opening = createWorkspace(js({ workingDir: await temporaryDirectory(), apiKey: "key" }));
  await expect(opening).rejects.toMatchObject({ name: "InvalidRequest", subject: "apiKey" });
});

test("an option that is undefined is none, whatever its name", async () => {
  const workspace = await openLocal();
  const options = js({ timeoutMS: undefined, limits: { memory: undefined } });
  expect(await workspace.executeCommand("echo fine", options)).toMatchObject({ stdout: "fine\n" });
});
