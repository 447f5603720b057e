import { quoted } from "../engine/wait-until-serving.ts";
import { InvalidState, LimitExceeded, StartFailed } from "../errors.ts";
import type { YonderError } from "../errors.ts";
import { lastLogLines } from "./container-logs.ts";
import type { ContainerState } from "./container-state.ts";
import type { Engine } from "./engine.ts";
import { wrongPlatform } from "./engine-errors.ts";

/** Whether a container does what it is there for, if slowly. */
export function isUp({ status }: ContainerState): boolean {
  return status === "running" || status === "created" || status === "restarting";
}

/** Why a container that was to serve ended before it did. */
export async function whyNotStarted(engine: Engine, state: ContainerState): Promise<YonderError> {
  const { name, image, exitCode, error } = state;
  const log = await lastLogLines(engine, state.id);
  const known = knownEnd(state, log);
  if (known !== undefined) return known;
  const why = error === "" ? `with exit code ${exitCode}` : `: ${error}`;
  return new StartFailed(`the container ${name} of ${image} ended before it served, ${why}${quoted(log)}`, {
    reason: "START_FAILED",
    subject: name,
    log,
    exitCode,
    remedy: "Its words say why; an image without a Yonder server in it does not serve.",
  });
}

/** Why a container that has served does not. Undefined: as far as the engine knows, it does. */
export async function whyNotServing(engine: Engine, state: ContainerState): Promise<YonderError | undefined> {
  const { name, exitCode } = state;
  if (isUp(state)) return undefined;
  if (state.status === "paused") return paused(name);
  const log = await lastLogLines(engine, state.id);
  return (
    knownEnd(state, log) ??
    new InvalidState(`the container ${name} has stopped, with exit code ${exitCode}${quoted(log)}`, {
      reason: "CONTAINER_STOPPED",
      subject: name,
      remedy: "resume() starts it again, with its files and without the commands that ran in it.",
    })
  );
}

export function paused(name: string): InvalidState {
  return new InvalidState(`the container ${name} is paused`, {
    reason: "CONTAINER_PAUSED",
    subject: name,
    remedy: "resume() lets it go on where it stands.",
  });
}

function knownEnd(
  { name, image, exitCode, wasOutOfMemory, error }: ContainerState,
  log: readonly string[],
): YonderError | undefined {
  const text = [error, ...log].join("\n");
  // The engine also says so of a container in which it was a command that was killed.
  if (wasOutOfMemory && exitCode === 137) {
    return new LimitExceeded(`the container ${name} was killed since it was out of memory${quoted(log)}`, {
      reason: "CONTAINER_OUT_OF_MEMORY",
      subject: name,
      remedy: "Give it more with `memory`.",
    });
  }
  if (/exec format error/i.test(text)) return wrongPlatform(image, text.trim());
  if (/ENOSPC|no space left on device/i.test(text)) {
    return new LimitExceeded(`the container ${name} found its disk full${quoted(log)}`, {
      reason: "STORAGE_FULL",
      subject: name,
      remedy: "Make room where the engine keeps its data (`docker system df`), or in the volume or tmpfs that is full.",
    });
  }
  return undefined;
}
