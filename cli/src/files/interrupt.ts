import { constants } from "node:os";
import { exitCodeOfSignal } from "../frame/exits.ts";

/** Ctrl-C and SIGTERM as an AbortSignal; a second one ends the command at once. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  #exitCode: number | undefined;
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const exitCode = exitCodeOfSignal(constants.signals[signal]);
    if (this.#exitCode !== undefined) process.exit(exitCode);
    this.#exitCode = exitCode;
    this.#controller.abort();
  };

  /** With `isListening` false the signals do what they do anyway. */
  constructor(isListening = true) {
    if (isListening) for (const signal of signals) process.on(signal, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What the command is to end with. Undefined: nobody interrupted it. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  [Symbol.dispose](): void {
    for (const signal of signals) process.off(signal, this.#onSignal);
  }
}

const signals = ["SIGINT", "SIGTERM"] as const;
