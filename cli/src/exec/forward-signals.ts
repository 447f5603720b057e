import type { ExecHandle } from "@yonder/client";
import { ownFailure } from "../frame/exits.ts";
import { describeError, isYonderError } from "../frame/failure.ts";
import { whatRunsOn } from "./come-back.ts";

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;
/** These may come as often as they like; the second one of the others leaves. */
const repeatable: readonly string[] = ["SIGUSR1", "SIGUSR2"];

/**
 * Passes the signals that this process gets on to the command's process group, as a terminal would. The second one of a
 * kind leaves: the command runs on. Until `to` is called, they wait.
 */
export class SignalForwarder implements Disposable {
  readonly #seen = new Set<string>();
  readonly #execId: string;
  #handle: ExecHandle | undefined;
  #waiting: NodeJS.Signals[] = [];

  constructor(execId: string) {
    this.#execId = execId;
    for (const signal of forwarded) process.on(signal, this.#onSignal);
  }

  /** The command runs now. */
  to(handle: ExecHandle): void {
    this.#handle = handle;
    for (const signal of this.#waiting) this.#send(signal);
  }

  [Symbol.dispose](): void {
    for (const signal of forwarded) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#seen.has(signal)) {
      process.stderr.write(`yonder: left; ${whatRunsOn(this.#execId)}\n`);
      process.exit(ownFailure);
    }
    if (!repeatable.includes(signal)) this.#seen.add(signal);
    if (this.#handle) this.#send(signal);
    else this.#waiting.push(signal);
  };

  #send(signal: NodeJS.Signals): void {
    this.#handle?.kill(signal, { target: "group" }).catch((error: unknown) => {
      // It has ended meanwhile; that is told by what it ended with.
      if (isYonderError(error) && error.reason === "EXEC_EXPIRED") return;
      process.stderr.write(`yonder: ${signal} did not reach the command: ${describeError(error)}\n`);
    });
  }
}
