import { fileURLToPath } from "node:url";
import { shell } from "./shell.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const name = "yonder-workspace:test";
const buildMs = 600_000;

/** Builds the Dockerfile as it stands on this base, and answers the image's name. */
export async function buildServerImage(env: Record<string, string>, baseImage: string): Promise<string> {
  // On the host's network, since a private engine's containers have no other way out.
  const args = ["build", "--quiet", "--network=host", `--build-arg=BASE_IMAGE=${baseImage}`];
  await shell("docker", [...args, `--build-arg=NODE_IMAGE=${baseImage}`, `--tag=${name}`, root], {
    env,
    timeoutMs: buildMs,
  });
  return name;
}
