import { hash } from "node:crypto";
import type { ExecSpec } from "./spec.ts";

/**
 * The fields that make two requests the same. What only says who asks, where the answer goes or which server is meant
 * is not among them.
 */
const FIELDS = [
  "program",
  "workingDirectory",
  "environment",
  "user",
  "timeoutMs",
  "idleTimeoutMs",
  "disconnectGraceMs",
  "terminal",
  "stdin",
  "labels",
  "limits",
  "output",
  "killGraceMs",
] as const satisfies readonly (keyof ExecSpec)[];

/**
 * Begun with the workspace's own secret: the hash is written down, and environment values and standard input, which are
 * part of it, must not be guessable from it.
 */
export function requestHash(spec: ExecSpec, key: Buffer): string {
  const canonical = JSON.stringify(FIELDS.map((field) => canonicalValue(spec[field])));
  return hash("sha256", Buffer.concat([key, Buffer.from(canonical)]), "base64url");
}

function canonicalValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(canonicalValue);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, canonicalValue(member)]);
}
