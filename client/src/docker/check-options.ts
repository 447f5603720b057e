import { invalidOption } from "../invalid-option.ts";
import type { DockerWorkspaceOptions } from "./docker-options.ts";

/** What is wrong with options, told before anything is started: they may come from JavaScript or from JSON. */
export function checkOptions(options: DockerWorkspaceOptions): void {
  const { hostPort, extraPorts, workingDir, forwardEnv, volumes, pull, onClose, keepAlive, cpus, pids, network } =
    options;
  if (hostPort !== undefined) checkPort("hostPort", hostPort);
  if (extraPorts !== undefined) {
    list("extraPorts", extraPorts);
    for (const port of extraPorts) checkPort("extraPorts", port);
    if (extraPorts.includes(serverPort))
      throw invalidOption("extraPorts", `must not have ${serverPort}, where the server is`);
    if (network === "none") throw invalidOption("extraPorts", 'cannot be published with network "none"');
  }
  if (network === "none" && hostPort !== undefined)
    throw invalidOption("hostPort", 'makes no sense with network "none"');
  if (workingDir !== undefined && !/^\/./.test(workingDir))
    throw invalidOption("workingDir", `must be an absolute path, got "${workingDir}"`);
  for (const [option, names] of [
    ["forwardEnv", forwardEnv],
    ["volumes", volumes],
  ] as const) {
    if (names !== undefined) list(option, names);
  }
  for (const volume of volumes ?? []) {
    if (!/^[^:]+:\/[^:]*(:[A-Za-z,]+)?$/.test(volume))
      throw invalidOption("volumes", `must be "SOURCE:/PATH" or "SOURCE:/PATH:ro", got "${volume}"`);
  }
  if ("mountDir" in options) throw invalidOption("mountDir", 'is called volumes: ["/the/directory:/workspace"]');
  oneOf("pull", pull, ["missing", "always", "never"]);
  oneOf("onClose", onClose, ["remove", "keep", "pause"]);
  if (keepAlive && onClose !== undefined && onClose !== "keep")
    throw invalidOption("keepAlive", `contradicts onClose: "${onClose}"`);
  if (cpus !== undefined && !(typeof cpus === "number" && cpus >= 0.01))
    throw invalidOption("cpus", `must be a number from 0.01, got ${cpus}`);
  if (pids !== undefined && !(Number.isInteger(pids) && pids >= 1))
    throw invalidOption("pids", `must be a whole number from 1, got ${pids}`);
  for (const name of ["healthCheckTimeoutMs", "startTimeoutMs", "stopTimeoutMs"] as const)
    duration(name, options[name]);
  bytes("memory", options.memory);
  bytes("shmSize", options.shmSize);
}

/** The port in the container. */
export const serverPort = 8000;

const units: Record<string, number> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** "512m", as Docker reads it, in bytes. */
export function bytes(option: string, value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(String(value)) ?? [];
  const size = Math.floor(Number(digits) * (units[unit.toLowerCase()] ?? 1));
  if (digits === undefined || !Number.isSafeInteger(size) || size < 1) {
    throw invalidOption(option, `must be bytes or a size as in "512m" or "2g", got ${JSON.stringify(value)}`);
  }
  return size;
}

function checkPort(option: string, port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalidOption(option, `must be a port from 1 to 65535, got ${port}`);
}

function list(option: string, value: unknown): void {
  if (!Array.isArray(value)) throw invalidOption(option, `must be a list, got ${JSON.stringify(value)}`);
}

function oneOf(option: string, value: string | undefined, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value))
    throw invalidOption(option, `must be one of ${choices.join(", ")}, got ${JSON.stringify(value)}`);
}

const longestMs = 24 * 60 * 60_000;

function duration(option: string, ms: number | undefined): void {
  if (ms === undefined || (typeof ms === "number" && ms >= 1 && ms <= longestMs)) return;
  throw invalidOption(option, `must be 1 to ${longestMs} milliseconds, got ${ms}`);
}
