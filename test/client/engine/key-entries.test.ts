import { expect, onTestFinished, test } from "vitest";
import { InstanceFiles } from "../../../client/src/apptainer/instance-files.ts";
import { freshKey } from "../../../client/src/engine/fresh-key.ts";
import { withFreshKey } from "../../../client/src/engine/key-entries.ts";
import { ownOwner } from "../../../client/src/owner.ts";
import { RemoteWorkspace } from "../../../client/src/index.ts";
import { startServer } from "../../../server/src/index.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";

test("clients that enter keys at the same time are all let in, and stay", async () => {
  const files = new InstanceFiles(await temporaryDirectory(), "one");
  await files.create();
  await files.writeKeys([{ owner: ownOwner(), digest: freshKey().digest }]);
  const server = await startServer({
    socket: files.socket,
    apiKeyFile: `${files.config}/keys`,
    stateDirectory: `${files.run}/state`,
  });
  onTestFinished(() => server.close());
  const connect = (apiKey: string) => RemoteWorkspace.connect({ host: `unix://${files.socket}`, apiKey });
  const clients = await Promise.all(
    Array.from({ length: 5 }, () => withFreshKey((digest) => files.enterKey(digest), connect)),
  );
  onTestFinished(async () => void (await Promise.all(clients.map(({ connection }) => connection.close()))));
  expect(await files.readKeys()).toHaveLength(6);
  for (const { connection, apiKey } of clients) {
    expect(await connection.alive()).toBe(true);
    await (await connect(apiKey)).close();
  }
});
