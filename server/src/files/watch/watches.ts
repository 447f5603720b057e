import { randomBytes } from "node:crypto";
import { LimitExceeded } from "../../util/errors.ts";
import type { Limits } from "../../util/limits.ts";
import { readInfo } from "../file-info.ts";
import type { FileInfo } from "../file-info.ts";
import { baseName, parentPath } from "../path-bytes.ts";
import type { PathBytes } from "../path-bytes.ts";
import type { Paths } from "../place.ts";
import type { IgnoreOptions } from "../ignore-rules.ts";
import { Burst } from "./burst.ts";
import { TreeWatcher } from "./tree-watcher.ts";
import type { WatchNews } from "./watch-change.ts";
import { WatchSession } from "./watch-session.ts";

export interface WatchQuery extends IgnoreOptions {
  readonly path: PathBytes;
  readonly recursive: boolean;
  readonly resumeToken: string;
}

export type WatchEvent = { readonly token: string } & (
  | { readonly type: "started"; readonly root: FileInfo; readonly resumed: boolean }
  | { readonly type: "heartbeat" }
  | WatchNews
);

/** The watches of all clients, those included that wait for their client to come back. */
export class Watches {
  readonly #paths: Paths;
  readonly #limits: Limits;
  readonly #sessions = new Map<string, WatchSession>();
  readonly #burst: Burst;

  constructor(paths: Paths, limits: Limits, burst = new Burst()) {
    this.#paths = paths;
    this.#limits = limits;
    this.#burst = burst;
  }

  /** Tells what changes until the signal says stop. */
  async *watch(query: WatchQuery, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const root = await this.#paths.locate(query.path, { follow: "target" }, (place) =>
      readInfo(place.at, place.path, false),
    );
    const { session, begin, resumed } = await this.#find(query, root);
    try {
      yield { type: "started", root, resumed, token: session.token(begin) };
      if (query.resumeToken !== "" && !resumed) {
        const cause = "The watch that the token belongs to is over.";
        yield { type: "resync", cause, token: session.token(begin) };
      }
      for await (const { news, position } of session.read(begin, signal, this.#limits.heartbeatIntervalMs)) {
        yield { ...(news ?? { type: "heartbeat" as const }), token: session.token(position) };
      }
    } finally {
      session.leave(() => this.#forget(session));
    }
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }

  async #find(query: WatchQuery, root: FileInfo): Promise<{ session: WatchSession; begin: number; resumed: boolean }> {
    const fingerprint = JSON.stringify([root.path.toString("base64"), query.recursive, query.exclude, query.gitignore]);
    const [id = "", position = ""] = query.resumeToken.split(".");
    const known = this.#sessions.get(id);
    if (known?.fingerprint === fingerprint && /^\d+$/.test(position)) {
      known.enter();
      return { session: known, begin: Number(position), resumed: true };
    }
    const session = await this.#begin(query, root, fingerprint);
    return { session, begin: 0, resumed: false };
  }

  async #begin(query: WatchQuery, root: FileInfo, fingerprint: string): Promise<WatchSession> {
    const { maxWatches, maxWatchedDirectories, maxWatchBacklog, watchReconnectGraceMs } = this.#limits;
    if (this.#sessions.size >= maxWatches) {
      throw new LimitExceeded("LIMIT_EXCEEDED", `${maxWatches} watches are under way already`, {
        limit: { name: "max_watches", value: maxWatches },
      });
    }
    const id = randomBytes(9).toString("hex");
    const isDirectory = root.kind === "DIRECTORY";
    const session: WatchSession = new WatchSession({
      id,
      fingerprint,
      maxBacklog: maxWatchBacklog,
      graceMs: watchReconnectGraceMs,
    });
    const watcher = new TreeWatcher({
      paths: this.#paths,
      path: isDirectory ? root.path : parentPath(root.path),
      only: isDirectory ? undefined : baseName(root.path).toString("latin1"),
      recursive: isDirectory && query.recursive,
      exclude: query.exclude,
      gitignore: query.gitignore,
      maxDirectories: maxWatchedDirectories,
      burst: this.#burst,
      onNews: (news) => session.add(news),
    });
    session.onClose = () => watcher.close();
    this.#sessions.set(id, session);
    try {
      await watcher.start();
      return session;
    } catch (error) {
      this.#forget(session);
      throw error;
    }
  }

  #forget(session: WatchSession): void {
    session.close();
    this.#sessions.delete(session.id);
  }
}
