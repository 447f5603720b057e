import { firstWindowBytes, fitWindows } from "@yonder/wire";
import { constants } from "node:http2";
import type { Http2Server, ServerHttp2Session, ServerOptions } from "node:http2";
import type { ConnectionLimits } from "./limits.ts";

export const http2Options: ServerOptions = {
  settings: {
    initialWindowSize: firstWindowBytes,
    // More than a server has readers; past it a client's calls would queue without a word.
    maxConcurrentStreams: 10_000,
  },
  // MB. With Node's 10, about 150 stalled streams end the whole session with ENHANCE_YOUR_CALM.
  maxSessionMemory: 1000,
};

export interface Http2Sessions {
  /** Asks every peer to open no more streams. One that is on its way already is still heard. */
  readonly announceEnd: () => void;
  /** Closes every connection once its running streams are done and what they wrote is on its way. */
  readonly close: () => void;
}

/** Widens each session's window and ends the sessions whose peer is gone without a word. */
export function keepSessions(server: Http2Server, limits: ConnectionLimits): Http2Sessions {
  const sessions = new Set<ServerHttp2Session>();
  let ending = false;

  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    // A connection that broke; its streams are told by themselves.
    session.on("error", () => {});
    fitWindows(session);
    watchPeer(session, limits);
    if (ending) announceEnd(session);
  });

  return {
    announceEnd() {
      if (ending) return;
      ending = true;
      sessions.forEach(announceEnd);
    },
    close() {
      for (const session of sessions) session.close();
    },
  };
}

/**
 * The notice of RFC 9113 (6.8). `session.close()` at once would break off the streams that cross it on the way, with
 * nothing to tell their callers that they did not run.
 */
function announceEnd(session: ServerHttp2Session): void {
  if (!session.closed && !session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
}

/** A peer that is frozen or cut off sends no reset: only a ping without an answer tells. */
function watchPeer(session: ServerHttp2Session, { pingIntervalMs, pingTimeoutMs }: ConnectionLimits): void {
  const timer = setInterval(() => {
    if (session.destroyed) return;
    const bytesRead = session.socket.bytesRead;
    const deadline = setTimeout(() => {
      if (session.destroyed) return;
      // Behind a slow link the answer queues behind megabytes of output; any byte is a sign of life too.
      if (session.socket.bytesRead === bytesRead) session.destroy();
    }, pingTimeoutMs);
    try {
      session.ping(() => clearTimeout(deadline));
    } catch {
      clearTimeout(deadline);
    }
  }, pingIntervalMs);
  session.once("close", () => clearInterval(timer));
}
