import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { shell, works } from "./shell.ts";

export interface DockerDaemon {
  /** What DOCKER_HOST is to be. */
  readonly host: string;
  stop(): Promise<void>;
  /** Stops it and starts it again, over the same containers. */
  restart(): Promise<void>;
}

const startMs = 30_000;
const stopMs = 20_000;
/** How many this process has started. */
let started = 0;

/** Why no daemon can be started on this machine; undefined where one can. */
export async function cannotStartDaemon(): Promise<string | undefined> {
  if (process.platform !== "linux") return "no Docker engine answers, and one can be started on Linux only";
  if (process.getuid?.() !== 0) return "no Docker engine answers, and only root can start one";
  if (!(await works("dockerd", ["--version"]))) return "no Docker engine answers, and there is no dockerd to start";
  if (!(await works("ip", ["-V"]))) return "no Docker engine answers, and without iproute2 none can be started";
  return undefined;
}

/**
 * Starts a Docker daemon that has everything to itself (data, sockets, bridge) and leaves the machine's firewall alone,
 * so it runs beside another one. Published ports work; containers have no way out, images are built on the host's network.
 * It ends with this process at the latest.
 */
export async function startDockerDaemon(): Promise<DockerDaemon> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-docker-"));
  // An interface's name has 15 characters at most; the process is told by its id, several daemons of it by their number.
  const bridge = `yonder${process.pid}${String.fromCharCode(97 + started)}`;
  const subnet = 1 + ((process.pid + started++) % 250);
  await shell("ip", ["link", "add", bridge, "type", "bridge"]);
  const removeTraces = async (): Promise<void> => {
    await works("umount", [join(directory, "exec/netns/default")]);
    await works("ip", ["link", "delete", bridge]);
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    await shell("ip", ["address", "add", `10.213.${subnet}.1/24`, "dev", bridge]);
    await shell("ip", ["link", "set", bridge, "up"]);
    const host = `unix://${join(directory, "docker.sock")}`;
    let run = await runDaemon(directory, host, bridge);
    return {
      host,
      async stop() {
        await run.stop();
        await removeTraces();
      },
      async restart() {
        await run.stop();
        run = await runDaemon(directory, host, bridge);
      },
    };
  } catch (error) {
    await removeTraces();
    throw error;
  }
}

async function runDaemon(directory: string, host: string, bridge: string): Promise<{ stop(): Promise<void> }> {
  const log = join(directory, "log");
  const output = openSync(log, "a");
  // prettier-ignore
  const child = spawn(
    "setpriv",
    [
      "--pdeathsig", "TERM", "dockerd",
      "--data-root", join(directory, "data"),
      "--exec-root", join(directory, "exec"),
      "--pidfile", join(directory, "pid"),
      "--host", host,
      // Its own: `--bridge none` would delete the docker0 of a daemon that runs beside it.
      "--bridge", bridge,
      "--iptables=false",
    ],
    { detached: true, stdio: ["ignore", output, output] },
  );
  closeSync(output);
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await Promise.race([exited, sleep(stopMs, undefined, { ref: false })]);
    if (child.pid !== undefined) killGroup(child.pid);
    await exited;
  };
  const deadline = performance.now() + startMs;
  while (!(await works("docker", ["info"], { DOCKER_HOST: host }))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`dockerd did not start:\n${readFileSync(log, "utf8").trim().split("\n").slice(-5).join("\n")}`);
    }
    await sleep(100);
  }
  return { stop };
}

/** The daemon's containerd and shims, where it could not end them itself. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}
