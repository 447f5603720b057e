import { InvalidState } from "../errors.ts";
import { withoutTheDead } from "../engine/key-entries.ts";
import { isOwnerAlive } from "../owner.ts";
import { engineOf } from "./engine.ts";
import { toContainerError } from "./engine-errors.ts";
import { readKeyFile } from "./key-file.ts";
import { keepLabel, ownerLabel } from "./labels.ts";
import { listContainers } from "./list-containers.ts";
import type { ListedContainer } from "./list-containers.ts";
import { removeContainer } from "./remove-container.ts";
import { removeSocketDirectory, socketDirectoryOf } from "./socket-directory.ts";

export interface OrphanOptions {
  /** Only containers that have all of these labels. Default: any. */
  labels?: Readonly<Record<string, string>> | undefined;
  /**
   * Counts containers, too, whose owner is on another machine (or in another container) and cannot be asked, if they
   * are older than this, in milliseconds. Default: they are left alone.
   */
  unknownOlderThanMs?: number | undefined;
  dockerHost?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** A container whose client is gone. */
export type Orphan = ListedContainer;

/** The containers that nobody will close: all who had a key to them are gone, and they were not meant to stay. */
export async function listOrphans(options: OrphanOptions = {}): Promise<Orphan[]> {
  const { labels, signal, unknownOlderThanMs = Infinity } = options;
  const engine = engineOf(options);
  try {
    const containers = await listContainers(engine, labels, signal);
    const orphans: Orphan[] = [];
    for (const container of containers) {
      if (container.labels[keepLabel] === "true") continue;
      const ageMs = Date.now() - container.created.getTime();
      const isForgotten = (alive: boolean | undefined) =>
        alive === false || (alive === undefined && ageMs > unknownOlderThanMs);
      if (!isForgotten(isOwnerAlive(container.labels[ownerLabel] ?? ""))) continue;
      // Whoever attached to it later has a key in its file.
      const users = withoutTheDead(await readKeyFile(engine, container.id, signal));
      if (users.every(({ owner }) => isForgotten(isOwnerAlive(owner)))) orphans.push(container);
    }
    return orphans;
  } catch (error) {
    throw toContainerError(error);
  }
}

/** Removes the orphans, with their volumes and sockets, and answers which they were. */
export async function sweep(options: OrphanOptions = {}): Promise<Orphan[]> {
  const orphans = await listOrphans(options);
  const engine = engineOf(options);
  const failures: unknown[] = [];
  for (const { id, labels } of orphans) {
    try {
      await removeContainer(engine, id);
      await removeSocketDirectory(socketDirectoryOf(labels));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return orphans;
  throw new InvalidState(`${failures.length} of ${orphans.length} orphans could not be removed`, {
    reason: "ENGINE_FAILED",
    retryable: true,
    cause: new AggregateError(failures),
  });
}
