import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const program = ["/usr/sbin/sshd", "/usr/bin/sshd"].find((path) => existsSync(path));

/** Whether this machine has OpenSSH's server, which wants to be started by its whole path. */
export const hasSshd = program !== undefined;

export interface SshServer {
  /** "ssh://user@127.0.0.1:12345"; a repository's path comes after it. */
  readonly origin: string;
  /** The line of known_hosts that its key has. */
  readonly knownHosts: string;
  /** A private key that it takes. */
  readonly key: Buffer;
  /** What it and its sessions said. */
  readonly log: () => string;
}

/** A real sshd on loopback, for this test only. */
export async function serveSsh(): Promise<SshServer> {
  if (program === undefined) throw new Error("there is no sshd");
  const directory = mkdtempSync(join(tmpdir(), "yonder-sshd-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  // Its child without privileges is locked up in there.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const host = makeKey(directory, "host");
  const user = makeKey(directory, "user");
  writeFileSync(join(directory, "authorized_keys"), user.publicKey);
  const port = await freePort();
  writeFileSync(
    join(directory, "config"),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${join(directory, "host")}`,
      `AuthorizedKeysFile ${join(directory, "authorized_keys")}`,
      "PidFile none",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin prohibit-password",
      "StrictModes no",
      "UsePAM no",
      "LogLevel VERBOSE",
    ].join("\n"),
  );
  const sshd = spawn(program, ["-D", "-e", "-f", join(directory, "config")], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  sshd.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = once(sshd, "exit");
  onTestFinished(async () => {
    sshd.kill();
    await ended;
  });
  await isListening(port);
  rmSync(join(directory, "user"));
  return {
    origin: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    knownHosts: `[127.0.0.1]:${port} ${host.publicKey}`,
    key: user.privateKey,
    log: () => log,
  };
}

export function makeKey(directory: string, name: string, passphrase = ""): { privateKey: Buffer; publicKey: string } {
  const path = join(directory, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", path]);
  return { privateKey: readFileSync(path), publicKey: readFileSync(`${path}.pub`, "utf8") };
}

/** The same key under a passphrase. */
export function encryptKey(key: Buffer, passphrase: string): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "yonder-key-"));
  try {
    const path = join(directory, "key");
    writeFileSync(path, key, { mode: 0o600 });
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", passphrase, "-f", path], { stdio: "ignore" });
    return readFileSync(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function isListening(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await new Promise((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen === true) return;
    if (tries > 200) throw new Error("sshd does not listen");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
