import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { AlreadyExists } from "../errors.ts";

/** Rejects with PORT_IN_USE where somebody listens on this port of the loopback already: they would be taken for ours. */
export async function checkPort(option: string, port: number): Promise<void> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE") throw cause;
    const message = `${option}: another program of this machine listens on 127.0.0.1:${port}`;
    throw new AlreadyExists(message, {
      reason: "PORT_IN_USE",
      subject: String(port),
      remedy: "take another port",
      cause,
    });
  }
  server.close();
  await once(server, "close");
}

/** A port of the loopback on which nobody listens at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
