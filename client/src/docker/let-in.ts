import { withKey } from "../engine/key-entries.ts";
import { AlreadyExists, NotFound } from "../errors.ts";
import { invalidOption } from "../invalid-option.ts";
import type { Container } from "./container.ts";
import type { Engine } from "./engine.ts";
import { readKeyFile, writeKeyFile } from "./key-file.ts";
import { listContainers } from "./list-containers.ts";

/** The one container of ours that is called so, or has these labels. */
export async function chooseContainer(
  engine: Engine,
  {
    name,
    labels,
  }: { readonly name?: string | undefined; readonly labels?: Readonly<Record<string, string>> | undefined },
  signal?: AbortSignal,
): Promise<string> {
  if (name !== undefined) return name;
  if (labels === undefined || Object.keys(labels).length === 0) throw invalidOption("name", "or labels must be given");
  const found = await listContainers(engine, labels, signal);
  const [only] = found;
  const wanted = Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(", ");
  if (only === undefined) {
    throw new NotFound(`no container of a workspace has the labels ${wanted}`, {
      reason: "CONTAINER_GONE",
      subject: wanted,
      remedy: "`docker ps --all --filter label=dev.yonder.workspace` lists those that there are.",
    });
  }
  if (found.length > 1) {
    throw new AlreadyExists(
      `${found.length} containers have the labels ${wanted}: ${found.map((each) => each.name).join(", ")}`,
      {
        reason: "NAME_IN_USE",
        subject: wanted,
        remedy: "Name one of them, or give a label more.",
      },
    );
  }
  return only.id;
}

/**
 * Lets a key into a container's server. Whoever may tell the engine what to do may do anything in the container, so that
 * needs no other right.
 */
export async function enterKey({ engine, state }: Container, digest: string, signal?: AbortSignal): Promise<void> {
  const entries = withKey(await readKeyFile(engine, state.id, signal), digest);
  if (entries !== undefined) await writeKeyFile(engine, state.id, entries, { signal });
}
