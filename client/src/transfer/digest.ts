import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { combineCrc32, crc32 } from "@yonder/transfer";
import { invalidOption } from "../invalid-option.ts";

/** What a transfer's bytes are checked with, on both sides. */
export type TransferDigest =
  /** Each chunk and the whole by a CRC-32: a chunk that was damaged is sent again. */
  | "crc32"
  /** The whole by a SHA-256. */
  | "sha256"
  /** Nothing beyond what TCP and TLS check. */
  | "none";

const kinds: readonly TransferDigest[] = ["crc32", "sha256", "none"];

/** Checked here, since it may come from JavaScript. */
export function readDigest(digest: TransferDigest = "crc32"): TransferDigest {
  if (kinds.includes(digest)) return digest;
  throw invalidOption("digest", `must be "crc32", "sha256" or "none", got ${JSON.stringify(digest)}`);
}

/** The digest of bytes as they come. */
export class RunningDigest {
  readonly #hash: Hash | undefined;
  #crc32: number | undefined;

  /** @param crc32 of the bytes before */
  constructor(kind: TransferDigest, crc32 = 0) {
    this.#hash = kind === "sha256" ? createHash("sha256") : undefined;
    this.#crc32 = kind === "crc32" ? crc32 : undefined;
  }

  /** Takes the next bytes, and returns their own CRC-32 where there is to be one. */
  take(data: Uint8Array): number | undefined {
    this.#hash?.update(data);
    if (this.#crc32 === undefined) return undefined;
    const digest = crc32(data);
    this.#crc32 = combineCrc32(this.#crc32, digest, data.length);
    return digest;
  }

  /** The CRC-32 of all bytes so far; undefined where it is not computed. */
  get crc32(): number | undefined {
    return this.#crc32;
  }

  /** The SHA-256 of all bytes, once; undefined where it is not computed. */
  sha256(): Buffer | undefined {
    return this.#hash?.digest();
  }
}
