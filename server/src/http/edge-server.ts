import type { Server } from "node:net";
import type { Http2Sessions } from "./http2-sessions.ts";

/** A server for both HTTP versions, not yet listening. */
export interface EdgeServer {
  readonly server: Server;
  readonly sessions: Http2Sessions;
}
