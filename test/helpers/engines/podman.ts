import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missing } from "./found.ts";
import type { Found } from "./found.ts";
import { shell, works } from "./shell.ts";
import { until } from "../until.ts";

export interface PodmanEngine {
  /** What DOCKER_HOST would be. */
  readonly host: string;
  /** Runs `podman` on what this engine has. */
  readonly podman: (...args: string[]) => Promise<string>;
}

const loadMs = 300_000;

/**
 * Starts Podman's service on a socket of its own, with storage of its own and an image of Docker's in it; `stop` ends it
 * and removes all of that.
 */
export async function startPodman(image: string): Promise<{ found: Found<PodmanEngine>; stop: () => Promise<void> }> {
  const nothing = { stop: async () => {} };
  if (process.getuid?.() !== 0) return { found: missing("tests start Podman as root only"), ...nothing };
  if (!(await works("podman", ["--version"]))) return { found: missing("there is no podman command"), ...nothing };
  const directory = mkdtempSync(join(tmpdir(), "yonder-podman-"));
  const configuration = join(directory, "containers.conf");
  // Works without systemd, on cgroup v1, and where root may not raise limits, as in a container of CI.
  const lines = [
    "[containers]",
    'default_ulimits=["nofile=4096:4096","nproc=4096:4096"]',
    "[engine]",
    'runtime="runc"',
  ];
  writeFileSync(configuration, [...lines, 'cgroup_manager="cgroupfs"', 'events_logger="file"', ""].join("\n"));
  const env = { CONTAINERS_CONF: configuration };
  const storage = ["--root", join(directory, "root"), "--runroot", join(directory, "run")];
  const podman = (...args: string[]) => shell("podman", [...storage, ...args], { env, timeoutMs: loadMs });
  const socket = join(directory, "podman.sock");
  const service = spawn("podman", [...storage, "system", "service", "--time=0", `unix://${socket}`], {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
  const ended = once(service, "exit");
  const stop = async (): Promise<void> => {
    service.kill("SIGTERM");
    await ended;
    await podman("rm", "--all", "--force").catch(() => {});
    await works("umount", [join(directory, "root/overlay")]);
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    const archive = join(directory, "image.tar");
    await shell("docker", ["save", "--output", archive, image], { timeoutMs: loadMs });
    await podman("load", "--quiet", "--input", archive);
    rmSync(archive);
    await until(() => existsSync(socket));
    return { found: { available: true, host: `unix://${socket}`, podman }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
