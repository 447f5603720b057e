import { haveBaseImage } from "./base-image.ts";
import { cannotStartDaemon, startDockerDaemon } from "./docker-daemon.ts";
import { missing } from "./found.ts";
import type { Found } from "./found.ts";
import { buildServerImage } from "./server-image.ts";
import { works } from "./shell.ts";

export interface DockerEngine {
  /** What DOCKER_HOST is to be; undefined for the engine that the machine's own settings lead to. */
  readonly host: string | undefined;
  /** Whether it was started for the tests, and nobody else's containers are in it. */
  readonly isPrivate: boolean;
  /** The image that the Dockerfile can stand on. */
  readonly baseImage: string;
  /** The image that it makes. */
  readonly image: string;
}

/** The engine that answers, else one that is started, with a base image in it; `stop` ends what was started. */
export async function openDocker(): Promise<{ found: Found<DockerEngine>; stop: () => Promise<void> }> {
  const nothing = async (): Promise<void> => {};
  if (!(await works("docker", ["--version"]))) return { found: missing("there is no docker command"), stop: nothing };
  if (await works("docker", ["info"])) {
    const host = process.env["DOCKER_HOST"];
    return { found: { available: true, host, isPrivate: false, ...(await makeImages({}, false)) }, stop: nothing };
  }
  const obstacle = await cannotStartDaemon();
  if (obstacle !== undefined) return { found: missing(obstacle), stop: nothing };
  const daemon = await startDockerDaemon();
  const stop = (): Promise<void> => daemon.stop();
  const { host } = daemon;
  try {
    const images = await makeImages({ DOCKER_HOST: host }, true);
    return { found: { available: true, host, isPrivate: true, ...images }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeImages(env: Record<string, string>, isPrivate: boolean): Promise<Images> {
  const baseImage = await haveBaseImage(env, isPrivate);
  return { baseImage, image: await buildServerImage(env, baseImage) };
}

type Images = Pick<DockerEngine, "baseImage" | "image">;
