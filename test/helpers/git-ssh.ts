import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { freePort } from "../../client/src/engine/port.ts";
import { holdPort } from "./hold-port.ts";

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
  const letGo = await holdPort(port);
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
  const listens = new Promise<void>((resolve, reject) => {
    createInterface({ input: sshd.stderr }).on("line", (line) => {
      log += `${line}\n`;
      if (line.startsWith("Server listening on ")) resolve();
    });
    sshd.once("exit", (code) => reject(new Error(`sshd ended with ${code}: ${log}`)));
  });
  const ended = once(sshd, "exit");
  onTestFinished(async () => {
    sshd.kill();
    await ended;
  });
  await listens.finally(letGo);
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
