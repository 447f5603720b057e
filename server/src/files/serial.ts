/** Runs acts one after the other, in the order in which they were asked for. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#last.then(act, act);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** Runs acts on the same key one after the other, and those on different keys at once. */
export class SerialByKey {
  readonly #lines = new Map<string, { serial: Serial; users: number }>();

  async run<T>(key: string, act: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(key) ?? { serial: new Serial(), users: 0 };
    this.#lines.set(key, line);
    line.users++;
    try {
      return await line.serial.run(act);
    } finally {
      if (--line.users === 0) this.#lines.delete(key);
    }
  }
}
