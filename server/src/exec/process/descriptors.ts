import { readdirSync, readFileSync } from "node:fs";

/** Past that, a table of them would slow down every launch. */
const HIGHEST = 1024;
const O_CLOEXEC = 0o2000000;

/**
 * The descriptors that whoever started the server left open to it, and which it would pass on: a supervisor's sockets, a
 * pipe of a build tool. Node opens none of that kind.
 */
export function inheritedDescriptors(): ReadonlySet<number> {
  const found = new Set<number>();
  for (const name of list("/proc/self/fd")) {
    const fd = Number(name);
    if (fd > 2 && fd < HIGHEST && passesOn(fd)) found.add(fd);
  }
  return found;
}

function passesOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    return false;
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
