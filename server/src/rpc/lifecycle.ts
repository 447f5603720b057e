import { Unavailable } from "../util/errors.ts";
import { toConnectError } from "./error-map.ts";
import type { GateCheck } from "./request-gate.ts";

/** Whether the server takes calls: first all of them, then none that are new, at last not even the running ones. */
export class Lifecycle {
  #stopping = false;
  readonly #cut = new AbortController();

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Aborted when running calls are cut. */
  get cutSignal(): AbortSignal {
    return this.#cut.signal;
  }

  /** From here on new calls are refused. */
  refuseNewCalls(): void {
    this.#stopping = true;
  }

  /** Ends the calls that still run. */
  cutRunningCalls(): void {
    this.#stopping = true;
    this.#cut.abort(toConnectError(serverStopping(), () => {}));
  }

  /** Health goes on answering, since who asks for it wants to know exactly this. */
  readonly check: GateCheck = ({ service }) => {
    if (this.#stopping && service.typeName !== "grpc.health.v1.Health") throw serverStopping();
  };
}

/** What is answered instead of new work, and to the streams that outlast the grace. */
export function serverStopping(): Unavailable {
  return new Unavailable("SERVER_STOPPING", "The server is stopping and takes no new work", {
    remedy: "Try again when it is back, or elsewhere.",
  });
}
