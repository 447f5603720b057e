import { InvalidRequest } from "../errors.ts";
import { buildImage, findProject } from "./build-image.ts";
import { checkOptions, imageReference, startOptions } from "./check-options.ts";
import { invalidOption } from "../invalid-option.ts";
import type { DockerWorkspaceOptions } from "./docker-options.ts";
import { DockerWorkspace, startParts } from "./docker-workspace.ts";
import { engineOf } from "./engine.ts";
import type { Engine } from "./engine.ts";
import { translated } from "./engine-errors.ts";
import { contractLabel } from "../engine/image-contract.ts";
import { haveImage, inspectImage } from "./pull-image.ts";
import { startLimited } from "./start-limits.ts";

export interface DockerDevWorkspaceOptions extends DockerWorkspaceOptions {
  /** The image to build a workspace on: any with glibc. Either this or `serverImage`, which is then used as it is. */
  baseImage?: string | undefined;
  /** The clone of Yonder that is built. Default: the one that this client is part of. */
  projectDirectory?: string | undefined;
  /** What the built image is called. Default: a name made from the base's. */
  tag?: string | undefined;
  /** The network of the build's own commands, as in "host". Default: the engine's. */
  buildNetwork?: string | undefined;
}

/** A workspace on a base image of the caller's choice: builds the project's Dockerfile on it first. */
export class DockerDevWorkspace extends DockerWorkspace {
  override readonly kind: string = "docker-dev";

  /**
   * Builds and starts. What is built before is taken from the engine's cache. Rejects as `DockerWorkspace.start` does,
   * and with ServerError (BUILD_FAILED) and the build's last lines where the image cannot be built.
   */
  static override async start(options: DockerDevWorkspaceOptions = {}): Promise<DockerDevWorkspace> {
    checkOptions(options, devOptions);
    const { baseImage, serverImage, platform, pull = "missing", onProgress } = options;
    if ((baseImage === undefined) === (serverImage === undefined)) {
      throw invalidOption("baseImage", "or serverImage must be given, and not both");
    }
    if (baseImage !== undefined) imageReference("baseImage", baseImage);
    if (options.tag !== undefined) imageReference("tag", options.tag);
    const engine = engineOf(options);
    const image = serverImage ?? options.tag ?? tagOf(baseImage ?? "");
    const parts = await startLimited(options, async (signal) => {
      const wish = { image: baseImage ?? image, platform, pull, onProgress, signal };
      await translated({ image: wish.image }, () => haveImage(engine, wish));
      if (baseImage !== undefined) {
        await refuseWorkspaceAsBase(engine, baseImage, signal);
        const directory = options.projectDirectory ?? findProject();
        const { buildNetwork } = options;
        await buildImage(engine, { directory, image, baseImage, platform, network: buildNetwork, onProgress, signal });
      }
      return await startParts(engine, image, options, signal);
    });
    return new DockerDevWorkspace(parts, options);
  }
}

const devOptions: Readonly<Record<keyof DockerDevWorkspaceOptions, true>> = {
  ...startOptions,
  baseImage: true,
  projectDirectory: true,
  tag: true,
  buildNetwork: true,
};

function tagOf(baseImage: string): string {
  return `yonder-workspace-dev:${baseImage
    .replaceAll(/[^A-Za-z0-9_.-]+/g, "_")
    .slice(-100)
    .replace(/^[.-]+/, "")}`;
}

async function refuseWorkspaceAsBase(engine: Engine, baseImage: string, signal: AbortSignal): Promise<void> {
  const found = await inspectImage(engine, baseImage, signal);
  if (found?.Config?.Labels?.[contractLabel] === undefined) return;
  throw new InvalidRequest(`baseImage ${baseImage} has a server in it already: start it as serverImage`, {
    reason: "INVALID_FIELD",
    subject: "baseImage",
  });
}
