import { existsSync, readFileSync } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "tar-stream";
import type { Pack } from "tar-stream";
import { LimitExceeded, NotFound, ServerError } from "../errors.ts";
import { parseDockerIgnore } from "./docker-ignore.ts";
import type { Engine } from "./engine.ts";
import { EngineRefusal, toContainerError } from "./engine-errors.ts";
import { followProgress } from "./pull-image.ts";
import type { PullProgress } from "./pull-image.ts";

export interface BuildWish {
  /** Where the Dockerfile is. */
  readonly directory: string;
  /** What the result is called. */
  readonly image: string;
  readonly baseImage: string;
  readonly platform: string | undefined;
  readonly network: string | undefined;
  readonly onProgress: ((progress: PullProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

/** The clone of the project that this file is part of. */
export function findProject(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    if (existsSync(join(directory, "docker/assemble.sh"))) return directory;
    if (directory === dirname(directory)) break;
  }
  throw new NotFound("an installed client has no Dockerfile to build", {
    reason: "IMAGE_NOT_FOUND",
    subject: "projectDirectory",
    remedy: "Clone Yonder and name the clone as projectDirectory, or build the image once and name it as serverImage.",
  });
}

/** Builds the Dockerfile of a directory on a base. */
export async function buildImage(engine: Engine, wish: BuildWish): Promise<void> {
  const { directory, image, baseImage, platform, network, onProgress, signal } = wish;
  const buildargs = JSON.stringify({ BASE_IMAGE: baseImage });
  const query = { t: image, buildargs, platform, networkmode: network, rm: true, forcerm: true };
  const context = packContext(directory);
  try {
    const answer = await engine.stream("POST", "/build", { query, body: context, signal, timeoutMs: 0 });
    await followProgress(answer, onProgress, signal);
  } catch (error) {
    throw buildFailure(error, wish);
  } finally {
    context.destroy();
  }
}

function buildFailure(error: unknown, { image, baseImage }: BuildWish): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  const meaning = toContainerError(error, { image: baseImage });
  if (NotFound.is(meaning) || LimitExceeded.is(meaning)) return meaning;
  const lines = "lines" in error ? (error.lines as readonly string[]) : [];
  return new ServerError(`the image ${image} could not be built: ${error.message}\n${lines.join("\n")}`.trim(), {
    reason: "BUILD_FAILED",
    subject: image,
    remedy: 'The build\'s last lines say why. Without a way to the package registries, try buildNetwork: "host".',
    cause: error,
  });
}

/** Sent whatever the rules say, as Docker has it. */
const dockerfile = "Dockerfile";

/** What the build is given, read as it is sent. */
function packContext(directory: string): Pack {
  const archive = pack();
  const file = join(directory, ".dockerignore");
  const rules = parseDockerIgnore(existsSync(file) ? readFileSync(file, "utf8") : "");
  const add = async (path: string): Promise<void> => {
    for (const name of (await readdir(join(directory, path))).toSorted()) {
      const inside = path === "" ? name : `${path}/${name}`;
      const isOut = inside !== dockerfile && rules.excludes(inside);
      if (isOut && !rules.mayKeepInside(inside)) continue;
      const stat = await lstat(join(directory, inside));
      // No times: what is the same is found in the engine's cache.
      const header = { name: inside, mode: stat.mode & 0o777, mtime: new Date(0) };
      if (stat.isDirectory()) {
        if (!isOut) archive.entry({ ...header, type: "directory" });
        await add(inside);
      } else if (isOut) {
        continue;
      } else if (stat.isSymbolicLink()) {
        archive.entry({ ...header, type: "symlink", linkname: await readlink(join(directory, inside)) });
      } else if (stat.isFile()) {
        archive.entry(header, await readFile(join(directory, inside)));
      }
    }
  };
  add("").then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error as Error),
  );
  return archive;
}
