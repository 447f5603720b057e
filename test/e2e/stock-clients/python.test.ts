import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { pythonWithGrpc, skipUnless } from "../../helpers/programs.ts";
import { run } from "../../helpers/run.ts";
import { serve } from "../../helpers/serve.ts";

const KEY = "a-key-of-the-stock-client";
const script = fileURLToPath(new URL("../../fixtures/python/exec_client.py", import.meta.url));
const image = fileURLToPath(new URL("../../../proto/baseline.binpb", import.meta.url));

test.skipIf(
  skipUnless(pythonWithGrpc, "Python", "install it with `apt-get install -y python3-grpcio python3-protobuf`"),
)("Python's grpcio runs a command, sees both streams and its end, and a refusal's code", async () => {
  const server = await serve({ env: { YONDER_SERVER_API_KEYS: KEY } });
  const { stdout, stderr } = await run(pythonWithGrpc ?? "", [script, `127.0.0.1:${server.port}`, KEY, image]);
  expect(stderr).toBe("");
  const lines = stdout.trim().split("\n");
  expect(
    lines
      .filter((line) => line.startsWith("stdout"))
      .join(" ")
      .replaceAll("stdout ", ""),
  ).toBe("1 2 3");
  expect(lines).toContain("stderr oops");
  expect(lines.slice(-2)).toEqual(["ended 1 4", "refused NOT_FOUND"]);
});
