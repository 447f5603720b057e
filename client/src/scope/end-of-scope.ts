import { invalidOption } from "../invalid-option.ts";
import { sendCompletion } from "./completion-callback.ts";
import type { Completion } from "./completion-callback.ts";

/**
 * What happens at the end of a workspace's scope, whatever its kind: first it is closed, then the completion callback
 * is sent, once, since whoever is told may take this machine away.
 */
export class EndOfScope {
  #completion: Completion = {};
  #ended: Promise<void> | undefined;

  registerConversation(conversationId: string): void {
    if (typeof conversationId !== "string" || conversationId === "") {
      throw invalidOption("conversationId", `must be a text that is not empty, got ${JSON.stringify(conversationId)}`);
    }
    this.#completion = { ...this.#completion, conversationId };
  }

  registerCost(cost: number): void {
    if (!Number.isFinite(cost) || cost < 0) throw invalidOption("cost", `must be 0 or more US dollars, got ${cost}`);
    this.#completion = { ...this.#completion, cost };
  }

  registerFailure(error: unknown): void {
    this.#completion = { ...this.#completion, failure: { error } };
  }

  /** Closes and tells; at the second call nothing more happens. Rejects with what `close` rejects with, if it does. */
  async end(close: () => Promise<void>): Promise<void> {
    await (this.#ended ??= this.#end(close));
  }

  async #end(close: () => Promise<void>): Promise<void> {
    try {
      await close();
    } finally {
      await sendCompletion(this.#completion);
    }
  }
}
