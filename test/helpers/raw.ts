import { connect } from "node:net";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A connection without a protocol, and what came over it so far. */
export interface RawConnection {
  readonly socket: Socket;
  readonly text: () => string;
  /** Resolves once `pattern` came. */
  readonly received: (pattern: RegExp) => Promise<string>;
  /** Resolves when the peer closed it. */
  readonly closed: Promise<void>;
}

export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return rawConnection(socket);
}

export function rawConnection(socket: Socket): RawConnection {
  let text = "";
  const waiting = new Set<() => void>();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    for (const check of waiting) check();
  });
  return {
    socket,
    text: () => text,
    closed,
    received: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!pattern.test(text)) return;
          waiting.delete(check);
          resolve(text);
        };
        waiting.add(check);
        socket.once("close", () => reject(new Error(`closed before ${pattern} came; got: ${text}`)));
        check();
      }),
  };
}
