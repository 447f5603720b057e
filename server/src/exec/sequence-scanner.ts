const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;

type State = "ground" | "character" | "escape" | "intermediate" | "control" | "command" | "text";

/**
 * Follows a terminal's output to know where nothing is half said: a terminal that is painted in the midst of a control
 * sequence or a character would show the rest of it as text.
 */
export class SequenceScanner {
  #state: State = "ground";
  #bytesOfCharacter = 0;
  #openBytes = 0;

  /** How many of the last bytes are the begin of something that is not over; 0 where all is. */
  get openBytes(): number {
    return this.#openBytes;
  }

  feed(data: Uint8Array): void {
    for (const byte of data) {
      const isNew = this.#state === "ground" || byte === ESC || (this.#state === "character" && !isContinuation(byte));
      this.#state = this.#next(byte);
      if (this.#state === "ground") this.#openBytes = 0;
      else this.#openBytes = isNew ? 1 : this.#openBytes + 1;
    }
  }

  #next(byte: number): State {
    if (byte === ESC) return "escape";
    if (byte === CAN || byte === SUB) return "ground";
    switch (this.#state) {
      case "ground":
        return this.#begin(byte);
      case "character":
        if (!isContinuation(byte)) return this.#begin(byte);
        this.#bytesOfCharacter -= 1;
        return this.#bytesOfCharacter === 0 ? "ground" : "character";
      case "escape":
        return afterEscape(byte);
      case "intermediate":
        return byte >= 0x30 ? "ground" : "intermediate";
      case "control":
        return byte >= 0x40 ? "ground" : "control";
      case "command":
        return byte === BEL ? "ground" : "command";
      case "text":
        return "text";
    }
  }

  #begin(byte: number): State {
    if (byte < 0xc2 || byte > 0xf4) return "ground";
    this.#bytesOfCharacter = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    return "character";
  }
}

function afterEscape(byte: number): State {
  switch (String.fromCharCode(byte)) {
    case "[":
      return "control";
    case "]":
      return "command";
    case "P":
    case "X":
    case "^":
    case "_":
      return "text";
    default:
      if (byte < 0x20) return "escape";
      return byte < 0x30 ? "intermediate" : "ground";
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
