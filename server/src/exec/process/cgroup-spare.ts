import { closeSync } from "node:fs";

/** A group that nobody is in yet. */
export interface ReadyGroup {
  readonly directory: string;
  /** The file that moves a thread into it, open; it belongs to who takes the group. */
  readonly tasks: number;
}

/** The group of the exec that comes next, made while there is time. */
export class SpareGroup {
  readonly #discard: (directory: string) => void;
  #ready: (ReadyGroup & { readonly mark: string }) | undefined;
  #isClosed = false;

  /** @param discard is given the directory of a group that nobody took */
  constructor(discard: (directory: string) => void) {
    this.#discard = discard;
  }

  /** Whoever needs one that could not be made makes it then, and is told why it cannot be had. */
  prepare(mark: string, make: () => ReadyGroup | undefined): void {
    if (this.#isClosed || this.#ready?.mark === mark) return;
    this.take(undefined);
    const made = make();
    this.#ready = made && { ...made, mark };
  }

  /** The one for that mark, if it is there. One for another mark is of no use any more. */
  take(mark: string | undefined): ReadyGroup | undefined {
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready === undefined || ready.mark === mark) return ready;
    closeSync(ready.tasks);
    this.#discard(ready.directory);
    return undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.take(undefined);
  }
}
