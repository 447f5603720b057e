import { hash, timingSafeEqual } from "node:crypto";

/** A key as the server keeps it: its SHA-256, so that no memory of the server opens it. */
export type KeyDigest = Buffer;

export interface ParsedKeys {
  readonly digests: readonly KeyDigest[];
  /** Whether any of them was there in plain text, for everybody to read who can read the source. */
  readonly hasPlain: boolean;
}

/**
 * Parses keys, each plain or as `sha256:` and 64 hexadecimal digits. Throws an Error that names the place of a malformed
 * one and never what stands there.
 */
export function parseKeys(keys: readonly { readonly text: string; readonly place: string }[]): ParsedKeys {
  const digests = keys.map(({ text, place }) => parseKey(text, place));
  return { digests, hasPlain: keys.some(({ text }) => !text.startsWith(digestPrefix)) };
}

/** The keys of a file: one a line; empty lines and lines that begin with "#" are passed over. */
export function parseKeyFile(content: string, path: string): ParsedKeys {
  const keys = content
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line, index) => ({ text: line.trim(), place: `${path}, line ${index + 1}` }))
    .filter(({ text }) => text !== "" && !text.startsWith("#"));
  return parseKeys(keys);
}

/** A key as it may be handed out: the line that lets it in without telling it. */
export function keyDigestLine(key: string): string {
  return `${digestPrefix}${digestOf(key).toString("hex")}`;
}

/** Whether the key is one of these. Takes the same time whichever it is, and whether it is any. */
export function matchesAny(key: string, digests: readonly KeyDigest[]): boolean {
  const digest = digestOf(key);
  let found = false;
  for (const candidate of digests) {
    // In this order, or the comparison would be skipped after a match.
    found = timingSafeEqual(digest, candidate) || found;
  }
  return found;
}

/** Fewer can be guessed. */
const minKeyLength = 16;

const digestPrefix = "sha256:";

function parseKey(text: string, place: string): KeyDigest {
  if (text.startsWith(digestPrefix)) {
    const hex = text.slice(digestPrefix.length);
    if (/^[0-9a-fA-F]{64}$/.test(hex)) return Buffer.from(hex, "hex");
    throw new Error(`${place}: after "${digestPrefix}" come 64 hexadecimal digits, not ${hex.length} characters`);
  }
  if (text.length < minKeyLength) {
    throw new Error(`${place}: a key has at least ${minKeyLength} characters, this one has ${text.length}`);
  }
  // Anything else does not fit into an HTTP header as it is.
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error(`${place}: a key consists of printable ASCII without blanks`);
  return digestOf(text);
}

function digestOf(key: string): Buffer {
  return hash("sha256", Buffer.from(key, "latin1"), "buffer");
}
