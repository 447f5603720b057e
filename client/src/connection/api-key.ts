import { Authentication, YonderError } from "../errors.ts";
import { invalidOption } from "../invalid-option.ts";

/** A key, or what gets one: asked at the first call, and once more when the server no longer takes the last one. */
export type ApiKey = string | (() => string | Promise<string>);

/** The key that calls bear. */
export class ApiKeySource {
  readonly #source: ApiKey | undefined;
  #current: Promise<string> | undefined;

  constructor(source: ApiKey | undefined) {
    this.#source = source;
  }

  /** The key to send. Undefined: none. */
  async get(): Promise<string | undefined> {
    if (this.#source === undefined) return undefined;
    if (typeof this.#source === "string") return sendable(this.#source);
    this.#current ??= ask(this.#source);
    try {
      return sendable(await this.#current);
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  /** Told that the server refused `key`: whether another may be had by `get`. */
  refused(key: string | undefined): boolean {
    if (typeof this.#source !== "function") return false;
    const current = this.#current;
    // Another call may have asked for a new one meanwhile: that one is kept.
    void current?.then(
      (value) => {
        if (value === key && this.#current === current) this.#current = undefined;
      },
      () => {},
    );
    return true;
  }
}

/** What HTTP would refuse is refused here, since its refusal tells the key back. */
function sendable(key: string): string {
  if (/^[\x21-\x7e]*$/.test(key)) return key;
  const hint = key.endsWith("\n") ? ", and this one ends with a line feed" : "";
  throw invalidOption("apiKey", `must be printable ASCII without blanks${hint}`);
}

async function ask(source: () => string | Promise<string>): Promise<string> {
  try {
    return await source();
  } catch (error) {
    if (YonderError.is(error)) throw error;
    const message = `apiKey could not be had: ${error instanceof Error ? error.message : String(error)}`;
    throw new Authentication(message, { reason: "CREDENTIALS_MISSING", subject: "apiKey", cause: error });
  }
}
