/** What was typed: bytes for the command, or a wish to this program. */
export type Typed = { readonly bytes: Uint8Array } | { readonly wish: "detach" | "help" };

const newline = 10;
const carriageReturn = 13;

/**
 * Finds the escapes in what is typed, as ssh has them: after Enter, the escape character and a key. `~.` detaches, `~?`
 * tells the escapes, `~~` types a `~`; anything else is typed as it is.
 */
export class EscapeKeys {
  readonly #escape: number | undefined;
  #isLineStart = true;
  /** The escape character came, and waits for its key. */
  #isPending = false;

  /** `escape`: one ASCII character. Undefined: there are no escapes. */
  constructor(escape: string | undefined) {
    this.#escape = escape?.charCodeAt(0);
  }

  take(typed: Uint8Array): Typed[] {
    if (this.#escape === undefined) return [{ bytes: typed }];
    const result: Typed[] = [];
    let passed: number[] = [];
    const wish = (what: "detach" | "help") => {
      if (passed.length > 0) result.push({ bytes: Uint8Array.from(passed) });
      passed = [];
      result.push({ wish: what });
    };
    for (const byte of typed) {
      if (this.#isPending) {
        this.#isPending = false;
        this.#isLineStart = byte === carriageReturn || byte === newline;
        if (byte === ".".charCodeAt(0)) wish("detach");
        else if (byte === "?".charCodeAt(0)) wish("help");
        else if (byte === this.#escape) passed.push(byte);
        else passed.push(this.#escape, byte);
      } else if (this.#isLineStart && byte === this.#escape) {
        this.#isPending = true;
      } else {
        this.#isLineStart = byte === carriageReturn || byte === newline;
        passed.push(byte);
      }
    }
    if (passed.length > 0) result.push({ bytes: Uint8Array.from(passed) });
    return result;
  }
}
