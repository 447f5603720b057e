import { createHash } from "node:crypto";
import type { ExecEnd, ExecEvent, LostEvent } from "../../client/src/index.ts";
import { tick } from "./time.ts";

/** What a reader has got so far, and what it was told of the end. */
export class Followed {
  bytes = 0;
  end: ExecEnd | undefined;
  readonly lost: LostEvent[] = [];
  readonly #hash = createHash("sha256");

  /** Of all bytes in their order, both streams together. */
  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  take(event: ExecEvent): void {
    if (event.type === "output") {
      this.bytes += event.bytes.length;
      this.#hash.update(event.bytes);
    } else if (event.type === "lost") {
      this.lost.push(event);
    } else if (event.type === "ended") {
      const { type: _, ...end } = event;
      this.end = end;
    }
  }
}

/** Reads to the end, with a pause after each event where one is asked for. */
export async function followOutput(
  events: AsyncIterable<ExecEvent>,
  { pauseMs = 0, into = new Followed() }: { pauseMs?: number; into?: Followed } = {},
): Promise<Followed> {
  for await (const event of events) {
    into.take(event);
    if (pauseMs > 0) await tick(pauseMs);
  }
  return into;
}
