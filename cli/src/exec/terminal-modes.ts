/**
 * Which modes of the terminal what was printed has changed, so that they can be put back when somebody leaves in the
 * middle: the other screen of an editor, mouse reports, a hidden cursor.
 */
export class TerminalModes {
  /** Those that are not as they are by default. */
  readonly #changed = new Set<string>();
  /** The begin of a sequence whose end has yet to come. */
  #rest = "";

  /** Takes note of bytes that are printed. */
  scan(bytes: Uint8Array): void {
    const text = this.#rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    for (const [, modes, final] of text.matchAll(privateModes)) {
      for (const mode of (modes ?? "").split(";")) this.#set(mode, final === "h");
    }
    for (const [, final] of text.matchAll(keypadModes)) this.#setKeypad(final === "=");
    this.#rest = begun.exec(text)?.[0] ?? "";
  }

  /** What to print to put all of them back, and colours with them. */
  reset(): string {
    const back = [...this.#changed].map((mode) => {
      if (mode === keypad) return "\u001b>";
      return `\u001b[?${mode}${onByDefault.has(mode) ? "h" : "l"}`;
    });
    this.#changed.clear();
    return `${back.join("")}\u001b[0m`;
  }

  #set(mode: string, isOn: boolean): void {
    if (!known.has(mode)) return;
    if (isOn === onByDefault.has(mode)) this.#changed.delete(mode);
    else this.#changed.add(mode);
  }

  #setKeypad(isOn: boolean): void {
    if (isOn) this.#changed.add(keypad);
    else this.#changed.delete(keypad);
  }
}

const escape = "\u001b";
const privateModes = new RegExp(String.raw`${escape}\[\?([\d;]+)([hl])`, "g");
const keypadModes = new RegExp(`${escape}([=>])`, "g");
const begun = new RegExp(String.raw`${escape}(\[(\?[\d;]{0,64})?)?$`);

const keypad = "keypad";
/** Wrapping at the edge, and the cursor. */
const onByDefault = new Set(["7", "25"]);
/** Cursor keys, reverse video, origin, mouse reports and their kinds, focus, the other screen, bracketed paste. */
const known = new Set("1 5 6 7 9 25 47 1000 1001 1002 1003 1004 1005 1006 1015 1016 1047 1049 2004".split(" "));
