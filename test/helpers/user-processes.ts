import { readFileSync } from "node:fs";
import { isAlive } from "./serve.ts";

/** The processes with which a server works as other users. */
export function userProcesses(serverPid: number): number[] {
  return childrenOf(serverPid).filter((pid) => read(pid, "cmdline").includes("serve-user"));
}

/** Whom a process may do as: real, effective, saved and file system uid; its groups besides. */
export function idsOf(pid: number): { uids: number[]; groups: number[]; capabilities: bigint } {
  const status = read(pid, "status");
  const numbers = (name: string): number[] =>
    (new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/).filter(Boolean).map(Number);
  const [, capabilities = "0"] = /^CapEff:\s*([\da-f]+)$/m.exec(status) ?? [];
  return { uids: numbers("Uid"), groups: numbers("Groups"), capabilities: BigInt(`0x${capabilities}`) };
}

/** The environment that a process was started with. */
export function environmentOf(pid: number): Record<string, string> {
  const entries = read(pid, "environ").split("\0").filter(Boolean);
  return Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s, 2) as [string, string]));
}

export function commandLineOf(pid: number): string {
  return read(pid, "cmdline").replaceAll("\0", " ");
}

function childrenOf(pid: number): number[] {
  return read(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number).filter(isAlive);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
