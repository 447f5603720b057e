import type { Http2Session } from "node:http2";

/**
 * What a peer may send on a stream of a new connection before it hears that it was read. With more, what it sends in one
 * go on a fast line piles up in memory while its reader writes it away, and then the two wait for each other.
 */
export const firstWindowBytes = 2 << 20;

/**
 * Widens a connection's windows to what its line holds, which two pings tell: HTTP/2's own 64 KiB let 2 MB/s through
 * where an answer takes 40 ms. Until then, and on a line on which an answer takes a millisecond, they are the first ones.
 */
export function fitWindows(session: Http2Session): void {
  widen(session, firstWindowBytes);
  let leastMs = Infinity;
  const ask = (left: number): void => {
    if (session.closed || session.destroyed) return;
    session.ping((error: Error | null, ms) => {
      if (error !== null || session.destroyed) return;
      // The least: a process that just starts is late itself.
      leastMs = Math.min(leastMs, ms);
      if (left > 1) return ask(left - 1);
      // In whole steps: half a window is to hold whole frames.
      const bytes = Math.min(mostWindowBytes, Math.ceil(leastMs) * bytesPerMs);
      if (bytes <= firstWindowBytes) return;
      session.settings({ initialWindowSize: bytes });
      widen(session, bytes);
    });
  };
  ask(pings);
}

/**
 * How much of a stream is made messages of before their reader asks for them, where he lends no memory for good: little
 * where little is on its way, and where much comes at a time a good part of it. Left in Node's queue it would outlive every
 * look at young memory.
 */
export function aheadBytes(session: Http2Session | undefined): number {
  const windowBytes = session === undefined ? undefined : windows.get(session);
  return (windowBytes ?? firstWindowBytes) / 4;
}

/** Whether the peer lets more come at a time than a fast line needs. */
export function isLongLine(session: Http2Session | undefined): boolean {
  return (session?.remoteSettings?.initialWindowSize ?? 0) > firstWindowBytes;
}

/** Of the whole connection twice that of a stream, so that it is the streams' that bound each of them. */
function widen(session: Http2Session, streamBytes: number): void {
  windows.set(session, streamBytes);
  session.setLocalWindowSize(2 * streamBytes);
}

/** How wide the windows of a connection's streams are. */
const windows = new WeakMap<Http2Session, number>();

/** As many as a server bears that counts them as an attack, such as that of grpc-go, which ends a connection at the fourth. */
const pings = 2;
/**
 * A gigabyte a second, twice over: nghttp2 tells a peer of what was read once it is half a window, so that half of one
 * may be all that is on its way.
 */
const bytesPerMs = 2 << 20;
/** What a stream whose reader stands still may take of this process's memory. */
const mostWindowBytes = 32 << 20;
