import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process that uses a container: MACHINE/PID/START, where START tells it from a later one of the same id. */
export type Owner = string;

let ours: Owner | undefined;

/** This process. */
export function ownOwner(): Owner {
  return (ours ??= `${machine()}/${process.pid}/${startOf(process.pid) ?? "?"}`);
}

/** Whether the owner still runs. Undefined: it is on another machine, or in another container, and cannot be asked. */
export function isOwnerAlive(owner: Owner): boolean | undefined {
  const [where, pid, start] = owner.split("/");
  if (where !== machine()) return undefined;
  const present = startOf(Number(pid));
  return present !== undefined && (start === "?" || present === start);
}

/** Processes of two machines, boots or containers have the same ids and are not the same. */
function machine(): string {
  if (process.platform !== "linux") return hostname().replaceAll("/", "_");
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim().slice(0, 8);
  const [, namespace = ""] = /\[(\d+)\]/.exec(readlinkSync("/proc/self/ns/pid")) ?? [];
  return `${hostname().replaceAll("/", "_")}.${boot}.${namespace}`;
}

/** When a process was started, in whatever unit the system has. Undefined: there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform !== "linux") {
      const said = execFileSync("ps", ["-p", String(pid), "-o", "lstart="], { encoding: "utf8" }).trim();
      return said === "" ? undefined : said.replaceAll(/[ /]+/g, "_");
    }
    // The name of the program, in parentheses, may have blanks in it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
