import { setTimeout as sleep } from "node:timers/promises";
import { Authentication } from "../errors.ts";
import { freshKey } from "./fresh-key.ts";
import { isOwnerAlive, ownOwner } from "../owner.ts";
import type { Owner } from "../owner.ts";

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

/** Entries with one more, where it is not there yet, and without those of owners that are gone. Undefined: it is there. */
export function withKey(entries: readonly KeyEntry[], digest: string): readonly KeyEntry[] | undefined {
  if (entries.some((entry) => entry.digest === digest)) return undefined;
  return [...withoutTheDead(entries), { owner: ownOwner(), digest }];
}

/** The server looks at its keys each second. */
const keyTakenMs = 10_000;
const stepMs = 100;

/**
 * Enters a fresh key for a server, and connects with it once that has seen it. Where somebody else enters one at the same
 * time, either may write the file as it was before the other's: whose key is not taken enters it again.
 */
export async function withFreshKey<T>(
  enter: (digest: string) => Promise<void>,
  connect: (key: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<{ readonly apiKey: string; readonly connection: T }> {
  const { key, digest } = freshKey();
  const deadline = performance.now() + keyTakenMs;
  for (;;) {
    await enter(digest);
    try {
      return { apiKey: key, connection: await connect(key) };
    } catch (error) {
      if (!Authentication.is(error) || performance.now() > deadline) throw error;
      await sleep(stepMs, undefined, { signal });
    }
  }
}
