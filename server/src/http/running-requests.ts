import type { NodeHandler } from "./node-types.ts";

/** Knows how many requests are being answered. */
export class RunningRequests {
  #count = 0;
  #onIdle: (() => void) | undefined;

  get count(): number {
    return this.#count;
  }

  /** The same handler, counted. */
  counted(handler: NodeHandler): NodeHandler {
    return (request, response) => {
      this.#count += 1;
      response.once("close", () => {
        this.#count -= 1;
        if (this.#count === 0) this.#onIdle?.();
      });
      handler(request, response);
    };
  }

  /** Resolves when none is left, or after `timeoutMs`. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onIdle = undefined;
  }
}
