import type { Server } from "node:net";

/** A server for both HTTP versions, not yet listening. */
export interface EdgeServer {
  readonly server: Server;
  /** Tells the HTTP/2 peers to open no more streams. */
  readonly goAway: () => void;
}
