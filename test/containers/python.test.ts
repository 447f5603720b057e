import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { shell } from "../helpers/engines/shell.ts";

const docker = inject("docker");
const clientDirectory = fileURLToPath(new URL("../../clients/python", import.meta.url));
/** What `npm run languages python` has installed the package into. */
const python = fileURLToPath(new URL("../../.cache/languages/python/bin/python", import.meta.url));
const isInstalled = existsSync(python);
if (!isInstalled) {
  if (process.env["REQUIRE_LANGUAGES"] === "1") throw new Error("run `npm run languages python` before these tests");
  process.stderr.write("SKIP Python's DockerWorkspace: `npm run languages python` installs the package\n");
}

test.skipIf(!docker.available || !isInstalled)("Python's DockerWorkspace works in a container", async () => {
  const env = { YONDER_TEST_IMAGE: docker.available ? docker.image : "", YONDER_HOST: "none", YONDER_API_KEY: "none" };
  const said = await shell(python, ["-m", "pytest", "--quiet", "-m", "engine"], { cwd: clientDirectory, env });
  expect(said).toMatch(/\b3 passed/);
});
