import { resolve } from "node:path";
import { bytes } from "../option-rules.ts";
import { serverPort } from "./check-options.ts";
import type { DockerWorkspaceOptions } from "./docker-options.ts";
import { keyFileDirectory, keyFilePath } from "./key-file.ts";
import { keepLabel, ownerLabel, socketLabel, startLabel, workspaceLabel } from "./labels.ts";
import type { Owner } from "../owner.ts";

/** What of a container is decided besides its options. */
export interface ContainerPlan {
  readonly image: string;
  readonly workingDir: string;
  readonly owner: Owner;
  /** Names this start. */
  readonly startId: string;
  readonly keeps: boolean;
  /** The directory of this machine in which the server's socket is to be. Undefined: it listens on a port. */
  readonly socketDirectory: string | undefined;
  /** The port on this machine's loopback. Undefined where there is a socket. */
  readonly hostPort: number | undefined;
  /** Whether the server is to have a socket beside its port. */
  readonly hasShortcut: boolean;
  readonly user: string | undefined;
}

/** Where the socket's directory is in the container. */
const socketMount = "/run/yonder";
export const socketName = "yonder.sock";

/**
 * Where a server that has a port has its socket as well: at a path that no other container has, nor this machine, in a
 * directory that anybody may write to. (On a read-only root Podman's own mounts leave no such one in /run.)
 */
function shortcutPath({ startId }: ContainerPlan, readOnly: boolean): string {
  return `${readOnly ? stateDirectory : socketMount}/${startId}.sock`;
}

/** The request that creates the container. What is secret is not in it: everybody who may inspect it reads it all. */
export function containerSpec(plan: ContainerPlan, options: DockerWorkspaceOptions): object {
  const { readOnly = false, network } = options;
  const publishes = network !== "none" && network !== "host";
  const ports = publishes ? [serverPort, ...(options.extraPorts ?? [])] : [];
  const volumes = (options.volumes ?? []).map(readVolume);
  if (plan.socketDirectory !== undefined) volumes.push(readVolume(`${plan.socketDirectory}:${socketMount}`));
  const mounted = new Set([...volumes.map(({ target }) => target), ...Object.keys(options.tmpfs ?? {})]);
  // Gone with the container. Disk rather than memory: output of commands and what they write has no bound.
  const written = readOnly ? [keyFileDirectory, stateDirectory, homeDirectory, plan.workingDir] : [];
  const memory = options.memory === undefined ? undefined : bytes("memory", options.memory);
  return {
    Image: plan.image,
    WorkingDir: plan.workingDir,
    Env: environmentOf(plan, options),
    Labels: labelsOf(plan, options),
    ...(plan.user !== undefined && { User: plan.user }),
    ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])),
    Volumes: Object.fromEntries(written.filter((path) => !mounted.has(path)).map((path) => [path, {}])),
    HostConfig: {
      Binds: volumes.filter((volume) => !isPlainBind(volume)).map(({ text }) => text),
      // Unlike those above, the engine does not make a directory of whatever is not there.
      Mounts: volumes.filter(isPlainBind).map(({ source, target, mode }) => ({
        Type: "bind",
        Source: source,
        Target: target,
        ReadOnly: mode === "ro",
      })),
      PortBindings: Object.fromEntries(
        ports.map((port) => {
          const hostPort = port === serverPort ? String(plan.hostPort) : "";
          return [`${port}/tcp`, [{ HostIp: "127.0.0.1", HostPort: hostPort }]];
        }),
      ),
      ...(network !== undefined && { NetworkMode: network }),
      // No swap beside it: what is over the limit is ended, not slowed down for hours.
      ...(memory !== undefined && { Memory: memory, MemorySwap: memory }),
      ...(options.shmSize !== undefined && { ShmSize: bytes("shmSize", options.shmSize) }),
      ...(options.cpus !== undefined && { NanoCpus: Math.round(options.cpus * 1e9) }),
      ...(options.pids !== undefined && { PidsLimit: options.pids }),
      Ulimits: Object.entries(options.ulimits ?? {}).map(([Name, limit]) => ({ Name, Soft: limit, Hard: limit })),
      ReadonlyRootfs: readOnly,
      Tmpfs: { ...(readOnly && !mounted.has("/tmp") && { "/tmp": "mode=1777" }), ...options.tmpfs },
      CapDrop: options.capDrop ?? [],
      CapAdd: options.capAdd ?? [],
      SecurityOpt: [...(options.allowNewPrivileges ? [] : ["no-new-privileges"]), ...(options.securityOpt ?? [])],
      ...(options.runtime !== undefined && { Runtime: options.runtime }),
      ...(options.enableGpu && { DeviceRequests: [{ Driver: "", Count: -1, Capabilities: [["gpu"]] }] }),
    },
  };
}

const stateDirectory = "/var/lib/yonder";
const homeDirectory = "/home/workspace";

function environmentOf(
  plan: ContainerPlan,
  { network, environment = {}, forwardEnv = [], readOnly = false }: DockerWorkspaceOptions,
): string[] {
  const forwarded = forwardEnv.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const ours: Record<string, string> = {
    YONDER_SERVER_API_KEY_FILE: keyFilePath,
    YONDER_SERVER_WORKING_DIRECTORY: plan.workingDir,
    ...(plan.hasShortcut && { YONDER_SERVER_SOCKET: shortcutPath(plan, readOnly) }),
    // On the host's network there is nothing to publish: it listens on the host's loopback itself.
    ...(network === "host" && { YONDER_SERVER_HOST: "127.0.0.1", YONDER_SERVER_PORT: String(plan.hostPort) }),
  };
  const all = { ...Object.fromEntries(forwarded), ...environment, ...ours };
  const set = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  // Emptied, since the image's own count no less than ours: a server that has an address listens there. (Docker would
  // take a name without "=" away, Podman does not.)
  const socket = [`YONDER_SERVER_SOCKET=${socketMount}/${socketName}`, "YONDER_SERVER_HOST=", "YONDER_SERVER_PORT="];
  return plan.socketDirectory === undefined ? set : [...set, ...socket];
}

function labelsOf(plan: ContainerPlan, { labels = {} }: DockerWorkspaceOptions): Record<string, string> {
  return {
    ...labels,
    [workspaceLabel]: "docker",
    [ownerLabel]: plan.owner,
    [startLabel]: plan.startId,
    // Said in any case: labels of the image count where the container has none of the name.
    [keepLabel]: String(plan.keeps),
    [socketLabel]: plan.socketDirectory ?? "",
  };
}

interface Volume {
  readonly source: string;
  readonly target: string;
  readonly mode: string;
  /** All of it, as the engine takes it. */
  readonly text: string;
}

/** A source that is a path is made absolute; one without a "/" is a volume's name. */
function readVolume(volume: string): Volume {
  const [given = "", target = "", mode = "rw"] = volume.split(":");
  const source = given.startsWith(".") || given.includes("/") ? resolve(given) : given;
  return { source, target, mode, text: `${source}:${target}:${mode}` };
}

/** Of a path of this machine, and without what only SELinux and macOS know. */
function isPlainBind({ source, mode }: Volume): boolean {
  return source.startsWith("/") && (mode === "ro" || mode === "rw");
}
