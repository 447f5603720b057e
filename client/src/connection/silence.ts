import { Code, ConnectError } from "@connectrpc/connect";
import type { Connection } from "./connection.ts";
import type { LinkedAbort } from "./linked-abort.ts";

/** A stream that is silent for so many heartbeats is dead. */
const silentHeartbeats = 3;

/** Aborts a stream on which nothing comes, not even a heartbeat. */
export class Silence {
  readonly #timer: NodeJS.Timeout;

  constructor(connection: Connection, abort: LinkedAbort) {
    const ms = silentHeartbeats * (connection.peer?.heartbeatMs ?? 10_000);
    const reason = new ConnectError(`the stream was silent for ${ms} ms`, Code.Unavailable);
    this.#timer = setTimeout(() => abort.abort(reason), ms).unref();
  }

  restart(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
