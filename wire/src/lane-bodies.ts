import { EnvelopeSplitter } from "./envelope-splitter.ts";
import type { Lane } from "./lane.ts";
import { piecesOf } from "./outgoing.ts";
import { withNext } from "./with-next.ts";

type Bytes = AsyncIterable<Uint8Array>;

/** The envelopes that Connect made as they go on the wire. */
export function ontoWire(envelopes: Bytes, lane: Lane): Bytes {
  return expanded(envelopes, (envelope) => piecesOf(lane, envelope));
}

/** The bytes of the wire as Connect reads them. */
export function intoLane(bytes: Bytes, lane: Lane, maxBytes: number): Bytes {
  const splitter = new EnvelopeSplitter(lane, maxBytes);
  return expanded(
    bytes,
    (chunk) => splitter.split(chunk),
    () => splitter.end(),
  );
}

/** The iterable with several values, or none, in the place of each. */
function expanded(
  source: Bytes,
  expand: (value: Uint8Array) => readonly Uint8Array[],
  end: () => readonly Uint8Array[] = () => [],
): Bytes {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      let ready: Uint8Array[] = [];
      let isEnded = false;
      return withNext<Uint8Array, Uint8Array>(iterator, async () => {
        for (;;) {
          const value = ready.shift();
          if (value !== undefined) return { done: false, value };
          if (isEnded) return { done: true, value: undefined };
          const result = await iterator.next();
          isEnded = result.done === true;
          ready = [...(result.done === true ? end() : expand(result.value))];
        }
      });
    },
  };
}
