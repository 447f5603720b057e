import { onTestFinished } from "vitest";
import { shell, works } from "./shell.ts";

/** `docker run --detach` with these arguments; the container is removed when the test is over. Answers its id. */
export async function runContainer(args: readonly string[]): Promise<string> {
  const id = (await shell("docker", ["run", "--detach", ...args])).trim();
  onTestFinished(async () => void (await works("docker", ["rm", "--force", "--volumes", id])));
  return id;
}
