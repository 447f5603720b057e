import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveConfig } from "../../../server/src/config/server-config.ts";
import { defaultStateDirectory } from "../../../server/src/config/state-directory.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";

test.each([
  [{ tlsCert: "a" }, "TLS takes both --tls-cert and --tls-key"],
  [{ tlsKey: "a" }, "TLS takes both --tls-cert and --tls-key"],
  [{ clientCa: "a" }, "--client-ca asks for TLS"],
])("%j is refused", async (given, message) => {
  await expect(resolveConfig(given)).rejects.toThrow(message);
});

test.each([
  [{ socket: "/tmp/s" }, { socket: "/tmp/s" }, undefined],
  [{ socket: "/tmp/s", port: 1 }, { host: "127.0.0.1", port: 1 }, "/tmp/s"],
  [{ socket: "/tmp/s", host: "localhost" }, { host: "localhost", port: 8000 }, "/tmp/s"],
  [{ port: 1 }, { host: "127.0.0.1", port: 1 }, undefined],
])("%j is listened at where it says", async (given, target, socketBeside) => {
  expect(await resolveConfig({ stateDirectory: "/tmp/state", ...given })).toMatchObject({ target, socketBeside });
});

test("the working directory must be there and be a directory", async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, "file");
  await writeFile(file, "");
  await expect(resolveConfig({ workingDirectory: join(directory, "none") })).rejects.toThrow(
    `The working directory ${join(directory, "none")} does not exist`,
  );
  await expect(resolveConfig({ workingDirectory: file })).rejects.toThrow(
    `The working directory ${file} is no directory`,
  );
});

test("the state's place goes with the address, so that the next server there finds it", async () => {
  const home = await temporaryDirectory();
  const environment = { XDG_STATE_HOME: home };
  const at = async (target: Parameters<typeof defaultStateDirectory>[0]) =>
    await defaultStateDirectory(target, environment);
  expect(await at({ host: "127.0.0.1", port: 8000 })).toBe(join(home, "yonder", "127.0.0.1-8000"));
  expect(await at({ host: "::1", port: 8001 })).toBe(join(home, "yonder", "__1-8001"));
  expect(await at({ socket: "/run/a.sock" })).toMatch(/yonder\/socket-[0-9a-f]{16}$/);
});

test("without a fixed port, or a place that can be written, the state is temporary", async () => {
  const file = join(await temporaryDirectory(), "file");
  await writeFile(file, "");
  expect(await defaultStateDirectory({ host: "127.0.0.1", port: 0 }, {})).toBeUndefined();
  expect(await defaultStateDirectory({ host: "127.0.0.1", port: 8000 }, { XDG_STATE_HOME: file })).toBeUndefined();
});

test("a server that stops with whoever started it leaves no state to a next one", async () => {
  const { stateDirectory } = await resolveConfig({ socket: "/tmp/s", stopWithStdin: true });
  expect(stateDirectory).toBeUndefined();
  const given = await resolveConfig({ socket: "/tmp/s", stopWithStdin: true, stateDirectory: "/tmp/state" });
  expect(given.stateDirectory).toBe("/tmp/state");
});
