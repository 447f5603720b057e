import { InvalidState } from "../errors.ts";
import type { ExecStdin } from "./stdin-writer.ts";

/** So much goes along with the request, so that a small input costs no call of its own. */
const inlineBytes = 512 << 10;

export type StdinSource = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** What of an input goes along with the request, and what is to be written after it. */
export function splitStdin(source: StdinSource | undefined): {
  first: { data: Uint8Array; eof: boolean } | undefined;
  rest: Uint8Array | AsyncIterable<string | Uint8Array> | undefined;
} {
  if (source === undefined) return { first: undefined, rest: undefined };
  if (typeof source !== "string" && !(source instanceof Uint8Array)) {
    return { first: { data: new Uint8Array(0), eof: false }, rest: source };
  }
  const bytes = typeof source === "string" ? Buffer.from(source) : source;
  if (bytes.length <= inlineBytes) return { first: { data: bytes, eof: true }, rest: undefined };
  return { first: { data: bytes.subarray(0, inlineBytes), eof: false }, rest: bytes.subarray(inlineBytes) };
}

/**
 * Writes all of `source`, then the end. A command that no longer reads is no error: many read only what they need. Once
 * `ended` is aborted nothing is written any more, and a source that has yet to give something is told to let go.
 */
export async function feedStdin(
  stdin: ExecStdin,
  source: Uint8Array | AsyncIterable<string | Uint8Array>,
  ended?: AbortSignal,
): Promise<void> {
  try {
    if (source instanceof Uint8Array) await stdin.write(source);
    else await writeEach(stdin, source, ended);
    if (!ended?.aborted) await stdin.end();
  } catch (error) {
    if (!ended?.aborted && !InvalidState.is(error)) throw error;
  }
}

async function writeEach(
  stdin: ExecStdin,
  source: AsyncIterable<string | Uint8Array>,
  ended: AbortSignal | undefined,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  // The loop itself lets go of its source only once that has given the next chunk, which may be never.
  const letGo = async () => iterator.return?.();
  // What fails in it is nobody's: the command has ended without it.
  const onEnd = () => void letGo().catch(() => {});
  ended?.addEventListener("abort", onEnd, { once: true });
  try {
    for await (const chunk of { [Symbol.asyncIterator]: () => iterator }) {
      if (ended?.aborted) return;
      await stdin.write(chunk);
    }
  } finally {
    ended?.removeEventListener("abort", onEnd);
  }
}
