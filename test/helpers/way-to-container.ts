import type { DockerWorkspace } from "../../client/src/docker/index.ts";
import type { Workspace } from "../../client/src/index.ts";
import { until } from "./until.ts";

/** By which way a call of a client's comes to a container's server, as its log says. */
export async function wayTo(container: DockerWorkspace, client: Workspace = container): Promise<"socket" | "port"> {
  const before = (await peers(container)).length;
  await client.fs.stat(".");
  let found: string[] = [];
  // A line of the log comes a little later than the answer.
  await until(async () => (found = await peers(container)).length > before);
  return found.at(-1) === "unix" ? "socket" : "port";
}

/** Where the calls of Stat came from that a container's server has logged. */
async function peers(container: DockerWorkspace): Promise<string[]> {
  const lines = await container.logs({ tail: 10_000 });
  return lines
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { readonly call?: string; readonly peer?: string })
    .flatMap(({ call, peer }) => (call?.endsWith("/Stat") && peer !== undefined ? [peer] : []));
}
