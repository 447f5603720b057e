import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { InvalidRequest, Unsupported } from "../util/errors.ts";
import type { BoundKey } from "./credentials.ts";

/** An agent of our own with one key, which is in its memory and nowhere else. */
export interface SshAgent {
  readonly socket: string;
  close(): Promise<void>;
}

const READY_WITHIN_MS = 10_000;

/**
 * @param askpass leads ssh-add to the passphrase
 * @throws InvalidRequest where this is no key, or not with that passphrase
 */
export async function openSshAgent(
  socket: string,
  { privateKey }: BoundKey,
  askpass: Readonly<Record<string, string>>,
): Promise<SshAgent> {
  const environment = { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { env: environment, stdio: ["ignore", "pipe", "ignore"] });
  const close = (): Promise<void> => stop(agent);
  try {
    await isReady(agent);
    await addKey(privateKey, { ...environment, ...askpass, SSH_AUTH_SOCK: socket });
  } catch (error) {
    await close();
    throw error;
  }
  return { socket, close };
}

/** It says where it listens once it does. */
async function isReady(agent: ChildProcess): Promise<void> {
  const { stdout } = agent;
  const signal = AbortSignal.timeout(READY_WITHIN_MS);
  await new Promise<void>((resolve, reject) => {
    agent.once("error", (error) => reject(notInstalled(error)));
    agent.once("exit", () => reject(notInstalled()));
    stdout?.once("data", () => resolve());
    signal.addEventListener("abort", () => reject(notInstalled()), { once: true });
  });
  stdout?.resume();
}

async function addKey(privateKey: Uint8Array, env: NodeJS.ProcessEnv): Promise<void> {
  const add = spawn("ssh-add", ["-q", "-"], { env, stdio: ["pipe", "ignore", "ignore"] });
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

async function stop(agent: ChildProcess): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null || agent.pid === undefined) return;
  const closed = once(agent, "exit");
  agent.kill("SIGTERM");
  await closed;
}

function notInstalled(cause?: unknown): Unsupported {
  return new Unsupported("GIT_NOT_INSTALLED", "There is no working ssh-agent where the server runs", {
    subject: "ssh",
    remedy: "Install OpenSSH's client, for example: apt-get install openssh-client",
    cause,
  });
}
