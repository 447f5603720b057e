import type { Address } from "@yonder/client";
import type { Choice } from "../connection/choose.ts";

/** What is looked at, in this order. */
export type Step =
  | "name"
  | "port"
  | "tls"
  | "http"
  | "key"
  | "version"
  | "clock"
  | "idle"
  | "terminal"
  | "git"
  | "ripgrep"
  | "watching"
  | "orphans"
  | "disk"
  | "notices";

/** What one look found. */
export interface Finding {
  readonly step: Step;
  /** `warning`: it works, but not all of it or not for long. `failed`: it stands between you and the workspace. */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  readonly detail: string;
  /** What to do about it. Empty where there is nothing to do. */
  readonly remedy: string;
}

/** Whom it is about. */
export interface Subject {
  readonly address: Address;
  readonly choice: Choice;
  /** How long one look may take. */
  readonly timeoutMs: number;
  /** How long a stream is watched in silence. 0: not at all; undefined: a little longer than from heartbeat to heartbeat. */
  readonly idleMs: number | undefined;
  /** This command's own version. */
  readonly version: string;
  /** Told what is waited for, before a look that takes long. */
  readonly onWait?: (what: string) => void;
}

export function ok(step: Step, detail: string): Finding {
  return { step, status: "ok", detail, remedy: "" };
}

export function warning(step: Step, detail: string, remedy: string): Finding {
  return { step, status: "warning", detail, remedy };
}

export function failed(step: Step, detail: string, remedy: string): Finding {
  return { step, status: "failed", detail, remedy };
}

export function skipped(step: Step, detail: string): Finding {
  return { step, status: "skipped", detail, remedy: "" };
}

/** What Node says of an error, in as few words as there are. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return wordsOf(error.errors[0]);
  return error instanceof Error ? error.message.trim() || codeOf(error) || error.name : String(error);
}

/** Node's and OpenSSL's name of an error; empty where it has none. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}
