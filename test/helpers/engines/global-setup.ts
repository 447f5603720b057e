import type { TestProject } from "vitest/node";
import { openApptainer } from "./apptainer.ts";
import type { ApptainerEngine } from "./apptainer.ts";
import { openDocker } from "./docker.ts";
import type { DockerEngine } from "./docker.ts";
import { announce } from "./found.ts";
import type { Found } from "./found.ts";

declare module "vitest" {
  export interface ProvidedContext {
    docker: Found<DockerEngine>;
    apptainer: Found<ApptainerEngine>;
  }
}

/**
 * Finds or starts the engines before the first test, and ends after the last what it started. Tests ask with
 * `inject("docker")` and `inject("apptainer")`; DOCKER_HOST leads to the engine.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [docker, apptainer] = await Promise.all([openDocker(), openApptainer()]);
  const stop = async (): Promise<void> => {
    await apptainer.stop();
    await docker.stop();
  };
  try {
    announce("docker", docker.found);
    announce("apptainer", apptainer.found);
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide("docker", docker.found);
  project.provide("apptainer", apptainer.found);
  if (docker.found.available && docker.found.host !== undefined) process.env["DOCKER_HOST"] = docker.found.host;
  return stop;
}
