/** The state directory cannot be used; the message says why and what to do. */
export class StateDirectoryError extends Error {
  override readonly name = "StateDirectoryError";
  /** The directory, or the file in it. */
  readonly path: string;

  constructor(path: string, message: string, remedy: string, options: { cause?: unknown } = {}) {
    super(`${message}. ${remedy}`, options);
    this.path = path;
  }
}
