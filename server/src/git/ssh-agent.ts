import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { InvalidRequest, Unsupported } from "../util/errors.ts";
import type { BoundKey } from "./credentials.ts";

/** An agent of our own with one key, which is in its memory and nowhere else. */
export interface SshAgent {
  readonly socket: string;
  close(): Promise<void>;
}

const WITHIN_MS = 10_000;
/** Runs the agent for as long as our end of its input is open, so that it ends however we end. */
const KEEPER = `command -v ssh-agent > /dev/null || exit
ssh-agent -D -a "$1" &
cat > /dev/null
kill $!
wait`;

/**
 * @param askpass leads ssh-add to the passphrase
 * @throws InvalidRequest where this is no key, or not with that passphrase
 */
export async function openSshAgent(
  socket: string,
  { privateKey }: BoundKey,
  askpass: Readonly<Record<string, string>>,
): Promise<SshAgent> {
  const env = { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };
  const keeper = spawn("sh", ["-c", KEEPER, "sh", socket], { env, stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise((resolve) => keeper.once("close", resolve));
  keeper.stdin.on("error", () => {});
  const close = async (): Promise<void> => {
    keeper.stdin.end();
    await ended;
  };
  try {
    await isReady(keeper);
    await addKey(privateKey, { ...env, ...askpass, SSH_AUTH_SOCK: socket });
  } catch (error) {
    await close();
    throw error;
  }
  return { socket, close };
}

/** The agent says where it listens once it does. */
function isReady(keeper: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(notInstalled()), WITHIN_MS);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      act();
    };
    keeper.once("error", (error) => settle(() => reject(notInstalled(error))));
    keeper.once("close", () => settle(() => reject(notInstalled())));
    keeper.stdout?.once("data", () => settle(resolve));
  });
}

async function addKey(privateKey: Uint8Array, env: NodeJS.ProcessEnv): Promise<void> {
  const add = spawn("ssh-add", ["-q", "-"], { env, stdio: ["pipe", "ignore", "ignore"], timeout: WITHIN_MS });
  add.stdin.on("error", () => {});
  // Keys are often pasted without their last line's end, which OpenSSH wants.
  add.stdin.end(Buffer.concat([privateKey, Buffer.from("\n")]));
  const [exitCode] = (await once(add, "close").catch((error: unknown) => {
    throw notInstalled(error);
  })) as [number | null];
  if (exitCode === 0) return;
  throw new InvalidRequest("INVALID_FIELD", "credentials.ssh_key is no private key, or its passphrase is another", {
    subject: "credentials.ssh_key",
  });
}

function notInstalled(cause?: unknown): Unsupported {
  return new Unsupported("GIT_NOT_INSTALLED", "There is no working ssh-agent where the server runs", {
    subject: "ssh",
    remedy: "Install OpenSSH's client, for example: apt-get install openssh-client",
    cause,
  });
}
