import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { ClientHttp2Session, Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** As wide as Yonder's, on either end: with HTTP/2's own 64 KiB a floor would be a floor of waiting. */
const windowBytes = 8 << 20;
const settings = { initialWindowSize: windowBytes };

/** Node's own HTTP/2 server, with wide windows. */
export function wideServer(onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void): Http2Server {
  const server = createServer({ settings });
  server.on("session", (session) => session.setLocalWindowSize(windowBytes));
  return server.on("stream", onStream);
}

/** A connection to it, once it stands. */
export async function wideSession(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, { settings });
  await once(session, "connect");
  session.setLocalWindowSize(windowBytes);
  return session;
}
