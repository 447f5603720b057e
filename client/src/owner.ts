import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process that has something in use: MACHINE/PID/START, where START tells it from a later one of the same id. */
export type Owner = string;

let ours: Owner | undefined;

/** This process. */
export function ownOwner(): Owner {
  return (ours ??= `${machine()}/${process.pid}/${startOf(process.pid) ?? "?"}`);
}

/** Whether the owner still runs. Undefined: it is on another machine, in another container or hidden, and cannot be asked. */
export function isOwnerAlive(owner: Owner): boolean | undefined {
  const [where, pid, start] = owner.split("/");
  if (where !== machine()) return undefined;
  const present = startOf(Number(pid));
  if (present === undefined) return isHidden(Number(pid)) ? undefined : false;
  return start === "?" || present === start;
}

/** Whether there is a process of somebody else, which a /proc mounted with hidepid does not show. */
function isHidden(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Processes of two machines, boots or containers have the same ids and are not the same. */
function machine(): string {
  const host = hostname().replaceAll(/[^\w.-]/g, "_");
  if (process.platform !== "linux") return host;
  const boot = orNothing(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")).slice(0, 8);
  const [, namespace = ""] = /\[(\d+)\]/.exec(orNothing(() => readlinkSync("/proc/self/ns/pid"))) ?? [];
  return `${host}.${boot}.${namespace}`;
}

/** What a sandbox's own kernel may not have. */
function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
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
