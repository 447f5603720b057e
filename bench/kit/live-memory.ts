import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What a Node process has to be started with so that `liveMemoryKiB` can ask it. */
export function liveMemoryFlags(directory: string): string[] {
  return ["--heapsnapshot-signal=SIGUSR2", `--diagnostic-dir=${directory}`];
}

interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
}

/**
 * What a process cannot let go of: its heap with what hangs on it outside, after a collection. What is resident says less:
 * it holds garbage that V8 sees no reason to collect while nothing happens.
 */
export async function liveMemoryKiB(pid: number, directory: string): Promise<number> {
  process.kill(pid, "SIGUSR2");
  for (;;) {
    await sleep(500);
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      // Written bit by bit; it is complete once it can be read.
      const snapshot = name.endsWith(".heapsnapshot") ? parse(readFileSync(path, "utf8")) : undefined;
      if (snapshot === undefined) continue;
      rmSync(path);
      return sizeOf(snapshot) / 1024;
    }
  }
}

function sizeOf({ snapshot, nodes }: Snapshot): number {
  const { node_fields: fields } = snapshot.meta;
  const sizeField = fields.indexOf("self_size");
  let sum = 0;
  for (let at = sizeField; at < nodes.length; at += fields.length) sum += nodes[at] ?? 0;
  return sum;
}

function parse(text: string): Snapshot | undefined {
  if (!text.trimEnd().endsWith("}")) return undefined;
  try {
    return JSON.parse(text) as Snapshot;
  } catch {
    return undefined;
  }
}
