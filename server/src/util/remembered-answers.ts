import { AlreadyExists } from "./errors.ts";

interface Remembered {
  readonly fingerprint: string;
  readonly answer: Promise<unknown>;
  readonly expiresAt: number;
}

/**
 * Makes acting calls repeatable: a call that comes again under the same request id gets the first one's answer, also
 * while that one is still under way. Failures are not remembered, so that a call that did nothing can be tried again.
 */
export class RememberedAnswers {
  readonly #answers = new Map<string, Remembered>();
  readonly #retentionMs: number;
  readonly #maxAnswers: number;
  #underway = 0;

  constructor(options: { retentionMs: number; maxAnswers: number }) {
    this.#retentionMs = options.retentionMs;
    this.#maxAnswers = options.maxAnswers;
  }

  /** How many calls are under way, also such as nobody waits for any more. */
  get underway(): number {
    return this.#underway;
  }

  /**
   * @param scope what the id is unique in, for example the rpc's name
   * @param fingerprint equal for equal requests; another one under the same id is an error
   */
  async once<T>(scope: string, requestId: string, fingerprint: string, act: () => Promise<T>): Promise<T> {
    if (requestId === "") return this.#run(act);
    this.#forgetOld();
    const key = `${scope}\n${requestId}`;
    const known = this.#answers.get(key);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) {
        throw new AlreadyExists("REQUEST_ID_CONFLICT", `Request id "${requestId}" belongs to a different request`, {
          subject: requestId,
          remedy: "Use a new request id for a new request.",
        });
      }
      return known.answer as Promise<T>;
    }
    const answer = this.#run(act);
    this.#answers.set(key, { fingerprint, answer, expiresAt: performance.now() + this.#retentionMs });
    answer.catch(() => this.#answers.delete(key));
    return answer;
  }

  async #run<T>(act: () => Promise<T>): Promise<T> {
    this.#underway++;
    try {
      return await act();
    } finally {
      this.#underway--;
    }
  }

  #forgetOld(): void {
    const now = performance.now();
    for (const [key, { expiresAt }] of this.#answers) {
      if (expiresAt > now && this.#answers.size < this.#maxAnswers) return;
      this.#answers.delete(key);
    }
  }
}
