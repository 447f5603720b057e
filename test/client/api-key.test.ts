import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Authentication, ConnectionLost, RemoteWorkspace } from "../../client/src/index.ts";
import { openScriptedServer, say } from "../helpers/scripted-server.ts";
import { connect } from "../helpers/workspaces.ts";

const [good, bad] = ["g".repeat(32), "b".repeat(32)];
const exec = {
  async *exec({ execId }: { execId: string }) {
    yield say.started(execId);
    yield say.ended();
  },
};

test("a key that is not taken is an error, and is sent once", async () => {
  const { url } = await openScriptedServer({ exec, apiKeys: [good] });
  await expect(RemoteWorkspace.connect({ host: url, apiKey: bad })).rejects.toBeInstanceOf(Authentication);
  await expect(RemoteWorkspace.connect({ host: url })).rejects.toMatchObject({ reason: "CREDENTIALS_MISSING" });
});

test("a function is asked once, and again when its key is refused", async () => {
  const { url } = await openScriptedServer({ exec, apiKeys: [good] });
  let asked = 0;
  const apiKey = async () => (++asked === 1 ? bad : good);
  const workspace = await connect({ host: url, apiKey });
  expect(asked).toBe(2);
  await workspace.executeCommand("made up");
  await Promise.all([workspace.spawn("made up"), workspace.getServerInfo()].map((call) => call.catch(() => {})));
  expect(asked).toBe(2);
});

test("a function whose keys are all refused is asked twice, not for ever", async () => {
  const { url } = await openScriptedServer({ exec, apiKeys: [good] });
  let asked = 0;
  const apiKey = () => (asked++, bad);
  await expect(RemoteWorkspace.connect({ host: url, apiKey })).rejects.toMatchObject({ reason: "CREDENTIALS_INVALID" });
  expect(asked).toBe(2);
});

test("a function that fails is told as such", async () => {
  const { url } = await openScriptedServer({ exec, apiKeys: [good] });
  const apiKey = () => Promise.reject(new Error("the vault is sealed"));
  const error = await RemoteWorkspace.connect({ host: url, apiKey }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Authentication);
  expect(error).toMatchObject({ message: "apiKey could not be had: the vault is sealed" });
});

test.for(["a secret with blanks", "a-secret-line\n", "ein-schl\u00fcssel-secret", "secret-\u20ac"])(
  "the key %j, which no header can bear, is refused and not told back",
  async (apiKey) => {
    const { url } = await openScriptedServer({ exec, apiKeys: [good] });
    for (const source of [apiKey, () => apiKey]) {
      const error = await RemoteWorkspace.connect({ host: url, apiKey: source }).catch((e: unknown) => e);
      expect(error).toMatchObject({ reason: "INVALID_FIELD", subject: "apiKey" });
      expect(String(error)).toContain("apiKey must be printable ASCII without blanks");
      expect(inspect(error)).not.toMatch(/secret|bl.ssel/);
    }
  },
);

test("an address where nobody listens is told at once", async () => {
  const error = await RemoteWorkspace.connect({ host: "http://127.0.0.1:1" }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConnectionLost);
  expect(error).toMatchObject({ reason: "CONNECTION_REFUSED", mayHaveRun: false, execId: undefined });
});
