import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A TCP proxy on which each byte is so long on its way, in each direction, with as much on the way as the ends allow. */
export async function startDelayLine(target: string, delayMs: number): Promise<{ url: string } & AsyncDisposable> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    delay(near, far, delayMs);
    delay(far, near, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function delay(from: Socket, to: Socket, delayMs: number): void {
  let waiting = 0;
  from.on("data", (chunk: Buffer) => {
    waiting += chunk.length;
    if (waiting > maxWaitingBytes) from.pause();
    setTimeout(() => {
      to.write(chunk, () => {
        waiting -= chunk.length;
        if (waiting <= maxWaitingBytes) from.resume();
      });
    }, delayMs);
  });
  from.once("end", () => setTimeout(() => to.end(), delayMs));
}

/** Far more than the windows of HTTP/2, which are to be what bounds it. */
const maxWaitingBytes = 64 << 20;
