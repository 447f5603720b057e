import { describe, expect, inject, test } from "vitest";
import { shell } from "../helpers/engines/shell.ts";

const docker = inject("docker");
const apptainer = inject("apptainer");

describe.skipIf(!docker.available)("the Docker engine", () => {
  test("runs the Node of the base image", async () => {
    const image = docker.available ? docker.baseImage : "";
    expect(await shell("docker", ["run", "--rm", image, "node", "--print", "process.version"])).toMatch(/^v24\./);
  });
});

describe.skipIf(!apptainer.available)("Apptainer", () => {
  test("says its version", async () => {
    const program = apptainer.available ? apptainer.program : "";
    expect(await shell(program, ["version"])).toMatch(/^\d+\./);
  });
});
