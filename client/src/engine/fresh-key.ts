import { createHash, randomBytes } from "node:crypto";

/** A key for a server that is started for one workspace, and what that server is told of it. */
export interface FreshKey {
  readonly key: string;
  /** All that the server has to know: nothing that a command can read there opens it. */
  readonly digest: string;
}

export function freshKey(): FreshKey {
  return keyOf(randomBytes(32).toString("base64url"));
}

export function keyOf(key: string): FreshKey {
  return { key, digest: `sha256:${createHash("sha256").update(key).digest("hex")}` };
}
