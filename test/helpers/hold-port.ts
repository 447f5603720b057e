import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";

/**
 * Keeps a loopback port that was let go from being given to the next one who asks for any: a connection that goes out
 * from it is in the way of those, and not of who asks for this very port. Answers what lets go of it.
 */
export async function holdPort(port: number): Promise<() => void> {
  const server = createServer((peer) => void peer.on("error", () => {}).resume()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const target = (server.address() as AddressInfo).port;
  const holder = connect({ host: "127.0.0.1", port: target, localAddress: "127.0.0.1", localPort: port });
  const letGo = (): void => {
    holder.on("error", () => {}).resetAndDestroy();
    server.close();
  };
  try {
    await once(holder, "connect");
  } catch (error) {
    letGo();
    throw error;
  }
  return letGo;
}
