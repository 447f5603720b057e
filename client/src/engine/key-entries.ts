import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../connection/connection.ts";
import { Authentication } from "../errors.ts";
import { isOwnerAlive } from "./owner.ts";
import type { Owner } from "./owner.ts";

/** A key that somebody has to a server that was started for a workspace: the server's key file says whose it is. */
export interface KeyEntry {
  readonly owner: Owner;
  readonly digest: string;
}

/** Of entries; the oldest go. */
const maxEntries = 16;

/** The key file, as the server reads it: digests alone, so that nothing that a command can read opens it. */
export function writeKeys(entries: readonly KeyEntry[]): string {
  return entries
    .slice(-maxEntries)
    .map(({ owner, digest }) => `# ${owner}\n${digest}\n`)
    .join("");
}

export function readKeys(text: string): KeyEntry[] {
  return [...text.matchAll(/^# (\S+)\n(sha256:[0-9a-f]{64})$/gm)].map(([, owner = "", digest = ""]) => ({
    owner,
    digest,
  }));
}

/** Those whose owner is not known to be gone. */
export function withoutTheDead(entries: readonly KeyEntry[]): KeyEntry[] {
  return entries.filter(({ owner }) => isOwnerAlive(owner) !== false);
}

/** The server looks at its keys each second. */
const keyTakenMs = 10_000;
const stepMs = 100;

/** Connects with a key that the server may not have seen yet. */
export async function onceKeyIsTaken(connect: () => Promise<Connection>, signal?: AbortSignal): Promise<Connection> {
  const deadline = performance.now() + keyTakenMs;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!Authentication.is(error) || performance.now() > deadline) throw error;
      await sleep(stepMs, undefined, { signal });
    }
  }
}
