import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { NotFound, Unavailable, Unsupported } from "../errors.ts";
import type { Engine } from "./engine.ts";
import { checkContract } from "../engine/image-contract.ts";
import { EngineRefusal, imageNotFound, toContainerError, wrongPlatform } from "./engine-errors.ts";

/** How getting an image goes. */
export interface PullProgress {
  /** What the engine says: "Downloading", "Pull complete", a line of a build. */
  readonly status: string;
  /** The layer that it is about. Empty: the whole. */
  readonly layer: string;
  /** In bytes, where they are known. */
  readonly current: number | undefined;
  readonly total: number | undefined;
}

export interface ImageWish {
  readonly image: string;
  readonly platform: string | undefined;
  readonly pull: "missing" | "always" | "never";
  readonly onProgress: ((progress: PullProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Sees to it that the engine has the image, for this platform, and that it is one this client can work with. */
export async function haveImage(engine: Engine, wish: ImageWish): Promise<void> {
  const { image, pull, platform, signal } = wish;
  let found = await inspectImage(engine, image, signal);
  if (pull === "always" || (found === undefined && pull === "missing")) {
    await pullImage(engine, wish);
    found = await inspectImage(engine, image, signal);
  }
  if (found === undefined) throw imageNotFound(image, "the engine has none, and was not to pull it");
  const actual = `${found.Os}/${found.Architecture}`;
  if (platform !== undefined && !isSamePlatform(actual, platform)) {
    throw wrongPlatform(image, `wanted ${platform}, it is ${actual}`);
  }
  checkContract(image, found.Config?.Labels);
}

/** One that is gone already is fine. */
export async function removeImage(engine: Engine, image: string): Promise<void> {
  try {
    await engine.json("DELETE", `/images/${image}`, { query: { force: true } });
  } catch (error) {
    if (!(error instanceof EngineRefusal && error.status === 404)) throw toContainerError(error, { image });
  }
}

export interface ImageInspection {
  readonly Os: string;
  readonly Architecture: string;
  readonly Config?: { readonly Labels?: Record<string, string> | null };
}

/** What the engine knows of an image. Undefined: it has none of this name. */
export async function inspectImage(
  engine: Engine,
  image: string,
  signal?: AbortSignal,
): Promise<ImageInspection | undefined> {
  try {
    return await engine.json<ImageInspection>("GET", `/images/${image}/json`, { signal });
  } catch (error) {
    if (error instanceof EngineRefusal && error.status === 404) return undefined;
    throw error;
  }
}

async function pullImage(engine: Engine, { image, platform, onProgress, signal }: ImageWish): Promise<void> {
  const query = { fromImage: /[:@][^/]*$/.test(image) ? image : `${image}:latest`, platform };
  try {
    const answer = await engine.stream("POST", "/images/create", { query, signal, timeoutMs: 0 });
    await followProgress(answer, onProgress, signal);
  } catch (error) {
    const meaning = toContainerError(error, { image });
    // What is typed is what it means; any other refusal is the registry's, or the way to it.
    const isTyped = NotFound.is(meaning) || Unsupported.is(meaning) || !(error instanceof EngineRefusal);
    if (isTyped) throw meaning;
    if (/denied|unauthorized|not found/i.test(error.message)) throw imageNotFound(image, error.message, error);
    throw new Unavailable(`the image ${image} could not be pulled: ${error.message}`, {
      reason: "IMAGE_PULL_FAILED",
      subject: image,
      remedy:
        "Check the name, the way to the registry and `docker login`; an image that is built here needs no registry.",
      retryable: true,
      cause: error,
    });
  }
}

interface ProgressLine {
  readonly status?: string;
  readonly stream?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly aux?: { readonly ID?: string };
}

/** Reads what the engine says while it pulls or builds. Rejects where it ends in an error. Resolves to the image built. */
export async function followProgress(
  answer: Readable,
  onProgress: ((progress: PullProgress) => void) | undefined,
  signal: AbortSignal,
): Promise<{ readonly imageId: string | undefined; readonly lines: readonly string[] }> {
  let imageId: string | undefined;
  const lines: string[] = [];
  for await (const line of createInterface({ input: answer, crlfDelay: Infinity })) {
    signal.throwIfAborted();
    if (line.trim() === "") continue;
    const said = JSON.parse(line) as ProgressLine;
    if (said.error !== undefined) throw Object.assign(new EngineRefusal(500, said.error, ""), { lines });
    imageId = said.aux?.ID ?? imageId;
    const status = (said.status ?? said.stream ?? "").trimEnd();
    if (status === "") continue;
    if (said.stream !== undefined) lines.push(status);
    if (lines.length > keptLines) lines.shift();
    onProgress?.({
      status,
      layer: said.id ?? "",
      current: said.progressDetail?.current,
      total: said.progressDetail?.total,
    });
  }
  signal.throwIfAborted();
  return { imageId, lines };
}

/** Of a build's words, for the error that it may end in. */
const keptLines = 20;

function isSamePlatform(actual: string, wanted: string): boolean {
  const [os, architecture] = wanted.split("/");
  return actual === `${os}/${architecture ?? ""}`;
}
