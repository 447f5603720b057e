import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketLabel } from "./labels.ts";

const prefix = "yonder-socket-";
const inner = "run";

/** Makes the directory of this machine in which the socket of a container without a network is to be. */
export async function makeSocketDirectory(): Promise<string> {
  const directory = join(await mkdtemp(join(tmpdir(), prefix)), inner);
  await mkdir(directory);
  // For the container's user, whoever that is; others do not get past the directory above.
  await chmod(directory, 0o777);
  return directory;
}

/** The one that a container's labels name. Undefined: it listens on a port. */
export function socketDirectoryOf(labels: Readonly<Record<string, string>>): string | undefined {
  return labels[socketLabel] || undefined;
}

/** Removes what a container's socket was in. Labels may be an image's own: nothing else is ever removed. */
export async function removeSocketDirectory(directory: string | undefined): Promise<void> {
  const [, parent] = /^(.*\/yonder-socket-\w{6})\/run$/.exec(directory ?? "") ?? [];
  if (parent === undefined || parent !== join(tmpdir(), parent.slice(-(prefix.length + 6)))) return;
  await rm(parent, { recursive: true, force: true });
}
