import { randomBytes } from "node:crypto";
import { AlreadyExists } from "../errors.ts";
import { containerSpec } from "./container-spec.ts";
import type { ContainerPlan } from "./container-spec.ts";
import type { DockerWorkspaceOptions } from "./docker-options.ts";
import type { Engine } from "./engine.ts";
import { EngineRefusal, toContainerError, translated } from "./engine-errors.ts";
import { failAfter } from "../engine/clean-up.ts";
import { freshKey } from "../engine/fresh-key.ts";
import { writeKeyFile } from "./key-file.ts";
import { socketBesideLabel, startLabel } from "./labels.ts";
import { listContainers } from "./list-containers.ts";
import { ownOwner } from "../owner.ts";
import { freePort } from "../engine/port.ts";
import { inspectImage } from "./pull-image.ts";
import { removeContainer } from "./remove-container.ts";
import { makeSocketDirectory, removeSocketDirectory } from "./socket-directory.ts";
import { writeArchive } from "./write-archive.ts";

export interface StartedContainer {
  readonly id: string;
  readonly apiKey: string;
  /** Removes it and what belongs to it. */
  readonly discard: () => Promise<void>;
}

/** Creates a container, puts into it what opens it, and starts it. Where that fails, nothing is left. */
export async function startContainer(
  engine: Engine,
  image: string,
  options: DockerWorkspaceOptions,
  signal: AbortSignal,
): Promise<StartedContainer> {
  for (let tries = maxTries; ; tries -= 1) {
    try {
      return await tryToStart(engine, image, options, signal);
    } catch (error) {
      // A free port that was chosen here may be taken by somebody else a moment later.
      const isBadLuck = AlreadyExists.is(error) && error.reason === "PORT_IN_USE" && options.hostPort === undefined;
      if (!isBadLuck || tries <= 1) throw error;
    }
  }
}

const maxTries = 5;

async function tryToStart(
  engine: Engine,
  image: string,
  options: DockerWorkspaceOptions,
  signal: AbortSignal,
): Promise<StartedContainer> {
  const plan = await translated({ image }, () => makePlan(engine, image, options, signal));
  const { hostPort, startId } = plan;
  const { name = `yonder-${startId}`, platform } = options;
  let id: string | undefined;
  const discard = async (): Promise<void> => {
    if (id !== undefined) await removeContainer(engine, id);
    await removeSocketDirectory(plan.socketDirectory);
  };
  try {
    const body = containerSpec(plan, options);
    // Not given up half-way: what an engine makes after nobody listens any more would stay.
    const created = await engine.json<{ Id: string }>("POST", "/containers/create", {
      query: { name, platform },
      body,
    });
    id = created.Id;
    signal.throwIfAborted();
    const { key: apiKey, digest } = freshKey();
    await prepareDirectories(engine, id, plan, options, signal);
    await writeKeyFile(engine, id, [{ owner: plan.owner, digest }], {
      signal,
      makeDirectory: options.readOnly !== true,
    });
    await engine.json("POST", `/containers/${id}/start`, { signal });
    return { id, apiKey, discard };
  } catch (error) {
    if (id === undefined) await afterCut(engine, plan.startId, error);
    return failAfter(discard, signal.aborted ? signal.reason : toContainerError(error, { image, name, hostPort }));
  }
}

async function makePlan(
  engine: Engine,
  image: string,
  options: DockerWorkspaceOptions,
  signal: AbortSignal,
): Promise<ContainerPlan> {
  const { network, workingDir = "/workspace", user, onClose, keepAlive } = options;
  const plan = {
    image,
    workingDir,
    owner: ownOwner(),
    startId: randomBytes(6).toString("hex"),
    keeps: keepAlive === true || onClose === "keep" || onClose === "pause",
    user: user === undefined ? undefined : String(user),
  };
  if (network !== "none") {
    // On the host's network there is nothing that a socket would spare.
    const hasShortcut = network !== "host" && (await servesSocketBeside(engine, image, signal));
    // Chosen here rather than by the engine, which would choose another one whenever the container is started again.
    const hostPort = options.hostPort ?? (await freePort());
    return { ...plan, socketDirectory: undefined, hasShortcut, hostPort };
  }
  // Only its own user can open the socket, so the server runs as whoever this is.
  const isRootless = await runsRootless(engine, signal);
  const us = process.getuid?.() ?? 0;
  const asUs = isRootless ? "0:0" : us === 0 ? undefined : `${us}:${process.getgid?.() ?? us}`;
  const socketDirectory = await makeSocketDirectory();
  return { ...plan, user: plan.user ?? asUs, socketDirectory, hasShortcut: false, hostPort: undefined };
}

/** Whether the image's server listens at both; an older one would refuse to start. */
async function servesSocketBeside(engine: Engine, image: string, signal: AbortSignal): Promise<boolean> {
  const found = await inspectImage(engine, image, signal).catch((error: unknown) => {
    // What is wrong with the engine, the start itself will tell.
    if (error instanceof EngineRefusal) return undefined;
    throw error;
  });
  return found?.Config?.Labels?.[socketBesideLabel] === "true";
}

async function runsRootless(engine: Engine, signal: AbortSignal): Promise<boolean> {
  const { SecurityOptions } = await engine.json<{ SecurityOptions?: string[] | null }>("GET", "/info", { signal });
  return (SecurityOptions ?? []).some((each) => each.includes("rootless"));
}

/** Makes the working directory anybody's, where it is not the image's or a mount of the caller's. */
async function prepareDirectories(
  engine: Engine,
  id: string,
  { workingDir }: ContainerPlan,
  { volumes = [], tmpfs = {}, readOnly = false }: DockerWorkspaceOptions,
  signal: AbortSignal,
): Promise<void> {
  const mounts = [...volumes.map((volume) => volume.split(":")[1] ?? ""), ...Object.keys(tmpfs)];
  const isMounted = mounts.some((mount) => workingDir === mount || workingDir.startsWith(`${mount}/`));
  if (workingDir === "/workspace" || isMounted) return;
  const entry = readOnly ? { name: "./", mode: 0o1777 } : { name: `${workingDir.slice(1)}/`, mode: 0o1777 };
  await writeArchive(engine, id, readOnly ? workingDir : "/", [entry], signal);
}

/** A request whose answer was lost may have been done all the same. */
async function afterCut(engine: Engine, startId: string, error: unknown): Promise<void> {
  if (error instanceof EngineRefusal) return;
  try {
    for (const { id } of await listContainers(engine, { [startLabel]: startId })) await removeContainer(engine, id);
  } catch {
    // An engine that does not answer has done nothing, or its container is an orphan that a sweep finds.
  }
}
