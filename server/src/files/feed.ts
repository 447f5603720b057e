/** A source of bytes for one reader, that is given them piece by piece and waits until he has read each. */
export class Feed implements AsyncIterator<Uint8Array, undefined> {
  #piece: Uint8Array | undefined;
  /** Lets the reader go on, who waits for a piece. */
  #read: (() => void) | undefined;
  /** Lets the giver go on, who waits until a piece has been read. */
  #taken: (() => void) | undefined;
  #isEnded = false;

  /** Resolves once the reader asks for what comes next, or reads no more. */
  async give(piece: Uint8Array): Promise<void> {
    if (this.#isEnded) return;
    const taken = new Promise<void>((resolve) => (this.#taken = resolve));
    this.#piece = piece;
    this.#read?.();
    await taken;
  }

  /** Nothing more comes, or nobody reads any more. */
  end(): void {
    this.#isEnded = true;
    this.#piece = undefined;
    this.#read?.();
    this.#taken?.();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#piece === undefined) {
      this.#taken?.();
      this.#taken = undefined;
      if (!this.#isEnded) await new Promise<void>((resolve) => (this.#read = resolve));
      this.#read = undefined;
    }
    const value = this.#piece;
    this.#piece = undefined;
    return value === undefined ? { done: true, value } : { done: false, value };
  }
}
