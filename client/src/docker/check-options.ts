import { checkDefaults } from "../exec/known-options.ts";
import { invalidOption } from "../invalid-option.ts";
import { bytes, choice, duration, list, onlyKnown, portNumber, shown, texts, variableNames } from "../option-rules.ts";
import type { DockerWorkspaceOptions, ReattachOptions } from "./docker-options.ts";

/** The port in the container. */
export const serverPort = 8000;

/** What is wrong with options, told before anything is started: they may come from JavaScript or from JSON. */
export function checkOptions(
  options: DockerWorkspaceOptions,
  known: Readonly<Record<string, true>> = startOptions,
): void {
  if ("mountDir" in options) throw invalidOption("mountDir", 'is called volumes: ["/the/directory:/workspace"]');
  onlyKnown(options, known);
  checkDefaults(options.defaults);
  if (options.serverImage !== undefined) imageReference("serverImage", options.serverImage);
  checkPorts(options);
  checkFiles(options);
  checkEnvironment(options);
  checkLimits(options);
  checkEnd(options);
  if (options.pull !== undefined) choice("pull", options.pull, ["missing", "always", "never"]);
  if (options.labels !== undefined) texts("labels", options.labels);
}

export function imageReference(option: string, image: string): void {
  if (typeof image === "string" && /^[A-Za-z0-9][\w./:@-]*$/.test(image)) return;
  throw invalidOption(option, `must be an image, as in "name:tag", got ${shown(image)}`);
}

function checkPorts({ hostPort, extraPorts, network }: DockerWorkspaceOptions): void {
  if (hostPort !== undefined) portNumber("hostPort", hostPort);
  if (network === "none" && hostPort !== undefined)
    throw invalidOption("hostPort", 'makes no sense with network "none"');
  if (extraPorts === undefined) return;
  list("extraPorts", extraPorts);
  for (const port of extraPorts) portNumber("extraPorts", port);
  if (extraPorts.includes(serverPort)) {
    throw invalidOption("extraPorts", `must not have ${serverPort}, where the server is`);
  }
  if (network === "none") throw invalidOption("extraPorts", 'cannot be published with network "none"');
  if (network === "host")
    throw invalidOption("extraPorts", 'are this machine\'s own with network "host"; leave them out');
}

function checkFiles({ workingDir, volumes }: DockerWorkspaceOptions): void {
  if (workingDir !== undefined && !/^\/./.test(workingDir)) {
    throw invalidOption("workingDir", `must be an absolute path, got ${shown(workingDir)}`);
  }
  if (volumes !== undefined) list("volumes", volumes);
  const odd = volumes?.find((volume) => !/^[^:]+:\/[^:]*(:[A-Za-z,]+)?$/.test(volume));
  if (odd !== undefined) {
    throw invalidOption("volumes", `must be "SOURCE:/PATH" or "SOURCE:/PATH:ro", got ${shown(odd)}`);
  }
}

function checkEnvironment({ environment = {}, forwardEnv = [] }: DockerWorkspaceOptions): void {
  variableNames("environment", Object.keys(environment));
  texts("environment", environment);
  list("forwardEnv", forwardEnv);
  variableNames("forwardEnv", forwardEnv);
}

function checkLimits({ memory, shmSize, cpus, pids }: DockerWorkspaceOptions): void {
  if (memory !== undefined) bytes("memory", memory);
  if (shmSize !== undefined) bytes("shmSize", shmSize);
  if (cpus !== undefined && !(typeof cpus === "number" && cpus >= 0.01)) {
    throw invalidOption("cpus", `must be a number from 0.01, got ${shown(cpus)}`);
  }
  if (pids !== undefined && !(Number.isInteger(pids) && pids >= 1)) {
    throw invalidOption("pids", `must be a whole number from 1, got ${shown(pids)}`);
  }
}

function checkEnd(options: DockerWorkspaceOptions): void {
  const { onClose, keepAlive } = options;
  if (onClose !== undefined) choice("onClose", onClose, ["remove", "keep", "pause"]);
  if (keepAlive && onClose !== undefined && onClose !== "keep") {
    throw invalidOption("keepAlive", `contradicts onClose: "${onClose}"`);
  }
  for (const option of ["healthCheckTimeoutMs", "startTimeoutMs", "stopTimeoutMs"] as const) {
    const ms = options[option];
    if (ms !== undefined) duration(option, ms);
  }
}

export const startOptions: Readonly<Record<keyof DockerWorkspaceOptions, true>> = {
  serverImage: true,
  workingDir: true,
  hostPort: true,
  volumes: true,
  environment: true,
  forwardEnv: true,
  network: true,
  platform: true,
  enableGpu: true,
  extraPorts: true,
  detachLogs: true,
  onLog: true,
  cleanupImage: true,
  healthCheckTimeoutMs: true,
  startTimeoutMs: true,
  memory: true,
  cpus: true,
  pids: true,
  ulimits: true,
  readOnly: true,
  user: true,
  capDrop: true,
  capAdd: true,
  allowNewPrivileges: true,
  securityOpt: true,
  runtime: true,
  tmpfs: true,
  shmSize: true,
  labels: true,
  name: true,
  pull: true,
  onProgress: true,
  onClose: true,
  keepAlive: true,
  stopTimeoutMs: true,
  dockerHost: true,
  signal: true,
  timeouts: true,
  retry: true,
  defaults: true,
};

export const reattachOptions: Readonly<Record<keyof ReattachOptions, true>> = {
  name: true,
  labels: true,
  apiKey: true,
  detachLogs: true,
  onLog: true,
  onClose: true,
  stopTimeoutMs: true,
  healthCheckTimeoutMs: true,
  startTimeoutMs: true,
  dockerHost: true,
  signal: true,
  timeouts: true,
  retry: true,
  defaults: true,
};
