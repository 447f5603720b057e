/**
 * Text of others for a terminal: control characters, and those that turn the direction of text, are shown instead of
 * sent, so that no name of a file, a command or a branch can steer the terminal or hide what it is.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(unsafe, show);
}

/** C0 and C1 controls, DEL, line and paragraph separators, marks of direction, halves of surrogate pairs. */
const unsafe = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\p{Cs}]/gu;

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u001b": "\\e" };

function show(character: string): string {
  const code = character.charCodeAt(0);
  return short[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
