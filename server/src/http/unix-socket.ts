import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import type { Server } from "node:net";
import { ConfigError } from "../config/config-error.ts";

/** Listens on a UNIX socket that only the server's own user can open. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  const length = Buffer.byteLength(path);
  // The size of sun_path, less its NUL.
  const maxLength = process.platform === "linux" ? 107 : 103;
  if (length > maxLength)
    throw new ConfigError(`The socket's path has ${length} bytes; the system takes ${maxLength}: ${path}`);
  await removeStale(path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen(path, error)));
    // The socket is made within `listen`; made first and closed off later, somebody could slip in between.
    const umask = process.umask(0o177);
    try {
      server.listen({ path }, () => {
        server.removeAllListeners("error");
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
  chmodSync(path, 0o600);
}

/** Node says "permission denied" of a directory that is not there, too. */
function cannotListen(path: string, cause: Error): ConfigError {
  const message = `The server cannot listen on ${path}: its directory must be there, and this user's to write`;
  return new ConfigError(message, { cause });
}

/** Removes a socket that a server left behind when it was killed. Anything else that is in the way stays there. */
async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new ConfigError(`${path} exists and is no socket; give another path or remove it`);
  if (await isListening(path)) throw new ConfigError(`Another server listens on ${path}`);
  unlinkSync(path);
}

async function isListening(path: string): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      // No permission, too many waiting: somebody may well be there.
      else reject(new ConfigError(`The socket ${path} cannot be used: ${error.message}`, { cause: error }));
    });
  });
}
