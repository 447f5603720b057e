/** The server cannot start as it was asked to. The message says what to do, for whoever typed the command. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
