import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { ClientHttp2Session, Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** With HTTP/2's own 64 KiB a floor would be a floor of waiting. */
const defaultMib = 8;
/** As wide as Yonder's are where an answer takes long; the connection's too are twice as wide as a stream's. */
export const longLine = { windowMib: "32" };

/** How wide a stream's windows are, on either end. */
interface Wide {
  readonly windowMib?: string;
}

/** Node's own HTTP/2 server, with wide windows. */
export function wideServer(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  wide: Wide = {},
): Http2Server {
  const server = createServer({ settings: { initialWindowSize: bytesOf(wide) } });
  server.on("session", (session) => session.setLocalWindowSize(2 * bytesOf(wide)));
  return server.on("stream", onStream);
}

/** A connection to it, once it stands. */
export async function wideSession(port: number, wide: Wide = {}): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: bytesOf(wide) } });
  await once(session, "connect");
  session.setLocalWindowSize(2 * bytesOf(wide));
  return session;
}

function bytesOf({ windowMib = String(defaultMib) }: Wide): number {
  return Number(windowMib) << 20;
}
