import { Notifier } from "../util/notifier.ts";

/** Which services are fit to serve: all of them, until the server stops. */
export class HealthStatus {
  readonly changes = new Notifier();
  readonly #services: ReadonlySet<string>;
  #serving = true;

  constructor(services: Iterable<string>) {
    this.#services = new Set(services);
  }

  get serving(): boolean {
    return this.#serving;
  }

  /** Whether a service of this name is known; the empty name is the server as a whole. */
  has(service: string): boolean {
    return service === "" || this.#services.has(service);
  }

  /** Every name there is, the server as a whole first. */
  names(): string[] {
    return ["", ...this.#services];
  }

  /** From here on nothing is fit to serve. */
  stop(): void {
    if (!this.#serving) return;
    this.#serving = false;
    this.changes.notify();
  }
}
