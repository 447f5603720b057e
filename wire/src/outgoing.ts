import type { Writable } from "node:stream";
import { envelopeOfGathered } from "./envelope.ts";
import type { Lane } from "./lane.ts";

/** What goes on the wire in the place of an envelope that Connect made: itself, or the large message of its token. */
export function piecesOf(lane: Lane | undefined, envelope: Uint8Array): readonly Uint8Array[] {
  const gathered = lane?.outgoing.shift();
  return gathered === undefined ? [envelope] : envelopeOfGathered(gathered);
}

/** Writes the pieces in one go; calls back when none of them is needed any more, or with what went wrong. */
export function writePieces(
  stream: Pick<Writable, "write" | "cork" | "uncork">,
  pieces: readonly Uint8Array[],
  done: (error?: Error | null) => void,
): boolean {
  stream.cork();
  let flushed = true;
  pieces.forEach((piece, index) => {
    flushed = index + 1 === pieces.length ? stream.write(piece, done) : stream.write(piece);
  });
  stream.uncork();
  return flushed;
}
