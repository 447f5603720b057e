import { constants } from "node:os";

/** The names of the signals, without "SIG". */
export const signalNames: readonly string[] = Object.keys(constants.signals)
  .filter((name) => !["SIGPOLL", "SIGUNUSED"].includes(name))
  .map((name) => name.slice("SIG".length));
