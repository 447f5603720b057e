import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished } from "vitest";
import { ApptainerWorkspace } from "../../../client/src/apptainer/apptainer-workspace.ts";
import type { ApptainerWorkspaceOptions } from "../../../client/src/apptainer/apptainer-workspace.ts";
import { shell } from "./shell.ts";

const docker = inject("docker");
const apptainer = inject("apptainer");

/** The tests of Apptainer need Docker too: it builds the image that they start. */
export const engines = {
  available: docker.available && apptainer.available,
  image: docker.available ? `docker-daemon:${docker.image}` : "",
  program: apptainer.available ? apptainer.program : "",
  cacheDir: apptainer.available ? apptainer.cacheDir : "",
};

/** A directory for instances of one test, in which nothing may be left when it is over. */
export function runtimeDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "yonder-run-"));
  onTestFinished(async () => {
    const left = readdirSync(path).flatMap((name) => readdirSync(join(path, name)));
    for (const name of left) await shell(engines.program, ["instance", "stop", name]).catch(() => {});
    rmSync(path, { recursive: true, force: true });
    expect(left).toEqual([]);
    expect(await instancesOf(path)).toEqual([]);
  });
  return path;
}

/** The image that the Dockerfile makes as a directory, which takes a tenth of the time of a SIF file. */
export async function imageDirectory(): Promise<string> {
  const path = join(engines.cacheDir, "directory");
  if (!existsSync(path)) {
    const container = (await shell("docker", ["create", docker.available ? docker.image : ""])).trim();
    try {
      mkdirSync(`${path}.new`);
      await shell("sh", ["-c", 'docker export "$1" | tar -xC "$2"', "export", container, `${path}.new`]);
      renameSync(`${path}.new`, path);
    } finally {
      await shell("docker", ["rm", container]);
    }
  }
  return path;
}

/**
 * A root file system of a few MB, with a shell and what Node needs but without a server: as a directory, and as an image
 * of Docker's.
 */
export async function smallImage(): Promise<{ readonly path: string; readonly name: string }> {
  const path = join(engines.cacheDir, "small");
  const name = "yonder-small:test";
  if (!existsSync(path)) {
    mkdirSync(`${path}.new`);
    await shell("sh", ["-euc", makeSmall, "make", await imageDirectory(), `${path}.new`, name]);
    renameSync(`${path}.new`, path);
  }
  return { path, name };
}

const makeSmall = `
cd "$1"
libraries=
for each in c m dl pthread stdc++ gcc_s tinfo selinux pcre2-8; do
  libraries="$libraries $(ls -d usr/lib/*-linux-gnu/lib$each.so*)"
done
tar -c usr/bin/sh usr/bin/dash usr/bin/bash usr/bin/cat usr/bin/chmod usr/bin/mkdir usr/bin/sleep usr/bin/readlink \\
  $libraries $(ls -d usr/lib/*-linux-gnu/ld-linux* usr/lib*/ld-linux* 2>/dev/null) bin lib $(ls -d lib64 2>/dev/null) |
  tar -xC "$2"
cd "$2"
mkdir dev proc sys tmp root etc var var/tmp run
tar -c . | docker import - "$3"
`;

/** Options for a workspace of the Dockerfile's image. */
export async function instanceOptions(more: ApptainerWorkspaceOptions = {}): Promise<ApptainerWorkspaceOptions> {
  const { program, cacheDir } = engines;
  const what = more.sifFile === undefined && more.serverImage === undefined ? { sifFile: await imageDirectory() } : {};
  return { program, cacheDir, ...what, runtimeDir: more.runtimeDir ?? runtimeDirectory(), ...more };
}

/** Starts a workspace; it is closed when the test is over, and nothing of it may be left then. */
export async function startInstance(more: ApptainerWorkspaceOptions = {}): Promise<ApptainerWorkspace> {
  const workspace = await ApptainerWorkspace.start(await instanceOptions(more));
  onTestFinished(() => workspace.close());
  return workspace;
}

/** The names of the instances that Apptainer knows, and of processes of instances, whose files lie in this directory. */
export async function instancesOf(runtimeDir: string): Promise<string[]> {
  const { instances } = JSON.parse(await shell(engines.program, ["instance", "list", "--json"])) as {
    instances: { instance: string; pid: number }[];
  };
  const known = instances
    .filter(({ pid }) => mountsOf(String(pid)).includes(runtimeDir))
    .map(({ instance }) => instance);
  const processes = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && mountsOf(pid).includes(runtimeDir))
    .map((pid) => `process ${pid}`);
  return [...known, ...processes];
}

/** Every process of an instance sees the instance's own directory, bound from where it lies. */
function mountsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, "utf8");
  } catch {
    return "";
  }
}
