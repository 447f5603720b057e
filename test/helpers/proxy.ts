import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** The weather on the way; all of it can be changed while the proxy runs, and then holds for bytes that come after. */
export interface Weather {
  /** How long each byte is on its way, in each direction. Default 0. */
  delayMs?: number;
  /** A connection on which nothing moved for so long is cut. Default: never. */
  idleCutMs?: number;
  /**
   * A connection is cut once so many bytes came down it from the server; the last chunk is forwarded up to that byte. A
   * function is asked anew for each connection. Default: never.
   */
  cutAfterBytes?: number | (() => number);
  /** The same for bytes that go up to the server. */
  cutAfterBytesUp?: number | (() => number);
  /**
   * How it is cut: by a reset, by an end as of a stream that is complete, or by forwarding nothing any more, so that all
   * before it arrives, however late it is read. Default "reset".
   */
  cutBy?: "reset" | "end" | "silence";
}

export interface ProxyOptions extends Weather {
  /** Where connections lead: the URL of a server ("http://…", "https://…", "unix:…"). */
  target: string;
}

/** A TCP proxy that knows nothing of what it carries. */
export class Proxy implements AsyncDisposable {
  /** How many connections were accepted, and how many were cut by the weather or by `cut`. */
  connections = 0;
  cuts = 0;
  /** How many bytes came down from the servers. */
  bytesDown = 0;
  /** How many bytes were on their way down at once, at most. */
  mostInFlight = 0;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #target: string;
  #weather: Weather;
  #inFlight = 0;
  #frozen = false;
  #refusing = false;
  #waiting: (() => void)[] = [];

  constructor(server: Server, { target, ...weather }: ProxyOptions) {
    this.#server = server;
    this.#target = target;
    this.#weather = weather;
    server.on("connection", (socket) => this.#accept(socket));
  }

  /** What clients connect to instead of the target. */
  get url(): string {
    const scheme = this.#target.startsWith("https:") ? "https" : "http";
    return `${scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openConnections(): number {
    return this.#pairs.size;
  }

  /** Changes the weather; what is not named stays. */
  set(weather: Weather): void {
    Object.assign(this.#weather, weather);
  }

  /** Where new connections lead from now on; those that are open are cut. */
  switchTo(target: string): void {
    this.#target = target;
    this.cut();
  }

  /** Cuts all connections that are open. */
  cut(): void {
    for (const pair of this.#pairs) pair.cut();
  }

  /** Forwards nothing any more in either direction, and closes nothing: a network that went away. */
  freeze(): void {
    this.#frozen = true;
    for (const pair of this.#pairs) pair.hold();
  }

  /** Forwards again what waits, and what comes. */
  thaw(): void {
    this.#frozen = false;
    for (const pair of this.#pairs) pair.release();
  }

  /** Leaves the connections that are open as they are, dead if `freeze` was called, and serves new ones. */
  thawNew(): void {
    this.#frozen = false;
  }

  /** From now on resets each new connection, as if nobody listened; with false serves them again. */
  refuse(refusing = true): void {
    this.#refusing = refusing;
  }

  /** Resolves at the next connection. */
  async nextConnection(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) pair.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(client: Socket): void {
    this.connections++;
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(client, dial(this.#target), this.#weather, {
      onDown: (came, left) => {
        this.bytesDown += came;
        this.#inFlight += came - left;
        this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
      },
      onCut: () => this.cuts++,
      onClose: () => this.#pairs.delete(pair),
    });
    this.#pairs.add(pair);
    if (this.#frozen) pair.hold();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Starts a proxy on a free port. Whoever starts it closes it. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return new Proxy(server, options);
}

interface PairEvents {
  /** So many bytes came from the server, and so many left for the client. */
  onDown(came: number, left: number): void;
  onCut(): void;
  onClose(): void;
}

/** One connection through the proxy. */
class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #weather: Weather;
  readonly #events: PairEvents;
  #idle: NodeJS.Timeout | undefined;
  #held: (() => void)[] | undefined;
  #closed = false;

  constructor(client: Socket, server: Socket, weather: Weather, events: PairEvents) {
    this.#client = client;
    this.#server = server;
    this.#weather = weather;
    this.#events = events;
    this.#forward(client, server, budget(weather.cutAfterBytesUp), () => {});
    this.#forward(server, client, budget(weather.cutAfterBytes), (came, gone) => events.onDown(came, gone));
    this.#touch();
  }

  cut(): void {
    if (this.#closed) return;
    this.#events.onCut();
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.#events.onClose();
  }

  hold(): void {
    this.#held ??= [];
    this.#client.pause();
    this.#server.pause();
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const action of held) action();
    this.#client.resume();
    this.#server.resume();
  }

  #forward(from: Socket, to: Socket, budget: number, onBytes: (came: number, left: number) => void): void {
    let left = budget;
    from.on("data", (chunk: Buffer) => {
      this.#touch();
      const part = chunk.subarray(0, left);
      onBytes(part.length, 0);
      left -= part.length;
      const isCut = left === 0;
      this.#later(() => {
        onBytes(0, part.length);
        if (!to.write(part) && !isCut) from.pause();
        if (isCut) this.#cutAfter(to);
      });
    });
    to.on("drain", () => this.#held === undefined && from.resume());
    from.on("end", () => this.#later(() => to.end()));
    from.on("error", () => this.#later(() => this.destroy()));
    from.on("close", () => {
      if (to.destroyed) this.destroy();
    });
  }

  /** Cuts once the bytes before the cut have left. */
  #cutAfter(to: Socket): void {
    if ((this.#weather.cutBy ?? "reset") === "reset") return this.cut();
    this.#events.onCut();
    if (this.#weather.cutBy === "silence") return this.hold();
    this.#closed = true;
    clearTimeout(this.#idle);
    to.end(() => {
      this.#client.destroy();
      this.#server.destroy();
      this.#events.onClose();
    });
  }

  #later(action: () => void): void {
    const act = (): void => {
      if (this.#closed) return;
      if (this.#held) this.#held.push(act);
      else action();
    };
    const { delayMs = 0 } = this.#weather;
    if (delayMs > 0) setTimeout(act, delayMs);
    else act();
  }

  #touch(): void {
    clearTimeout(this.#idle);
    const { idleCutMs } = this.#weather;
    if (idleCutMs !== undefined && !this.#closed) this.#idle = setTimeout(() => this.cut(), idleCutMs);
  }
}

function budget(limit: number | (() => number) | undefined): number {
  return (typeof limit === "function" ? limit() : limit) ?? Infinity;
}

function dial(target: string): Socket {
  if (target.startsWith("unix:")) return connect({ path: target.replace(/^unix:(\/\/)?/, ""), allowHalfOpen: true });
  const { hostname, port } = new URL(target);
  return connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
}
