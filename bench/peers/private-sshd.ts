import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../client/src/engine/port.ts";
import type { BenchmarkContext } from "../kit/benchmark.ts";
import { ownProcess } from "../kit/own-process.ts";

/** A way to run commands over ssh, or why there is none. */
export type Ssh = { readonly sshArguments: readonly string[] } | { readonly missing: string };

const sshdPath = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].find((path) => existsSync(path));

/**
 * Starts an OpenSSH server of our own, on a loopback port, with keys made for it, and one connection to it that all
 * `ssh` calls share: nothing of the user's ssh is read, nothing of the machine's is touched.
 */
export async function startPrivateSshd(context: BenchmarkContext): Promise<Ssh> {
  if (sshdPath === undefined) return { missing: "OpenSSH's sshd is not installed" };
  const directory = join(context.directory, "ssh");
  mkdirSync(directory, { mode: 0o700 });
  try {
    const port = await freePort();
    writeConfiguration(directory, port);
    const server = ownProcess(context, () => startServer(sshdPath, join(directory, "sshd_config")));
    await line(server, server.stderr, /Server listening on/);
    const sshArguments = clientArguments(directory, port);
    const master = ownProcess(context, () =>
      spawn("ssh", [...sshArguments, ...masterArguments], { stdio: ["ignore", "pipe", "ignore"] }),
    );
    await line(master, master.stdout, /connected/);
    return { sshArguments };
  } catch (error) {
    return { missing: `a private sshd could not be started: ${String(error)}` };
  }
}

function writeConfiguration(directory: string, port: number): void {
  for (const name of ["host_key", "user_key"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, name)]);
  }
  copyFileSync(join(directory, "user_key.pub"), join(directory, "authorized_keys"));
  const lines = [
    "ListenAddress 127.0.0.1",
    `Port ${port}`,
    `HostKey ${directory}/host_key`,
    `AuthorizedKeysFile ${directory}/authorized_keys`,
    "PidFile none",
    "UsePAM no",
    "StrictModes no",
    "PasswordAuthentication no",
    "Subsystem sftp internal-sftp",
    // bash reads the user's .bashrc where sshd starts it, unless a shell seems to be around it already.
    "SetEnv SHLVL=1",
    // 100 commands at once over one connection; the default is 10.
    "MaxSessions 200",
  ];
  writeFileSync(join(directory, "sshd_config"), lines.join("\n"));
}

/** Run by root, sshd wants a directory in /run that only its service makes: give it a /run that nobody else sees. */
function startServer(program: string, configuration: string): ChildProcess {
  const command = [program, "-D", "-e", "-f", configuration];
  const inNamespace = ["--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$0" "$@"'];
  const needsDirectory = userInfo().uid === 0 && !existsSync("/run/sshd");
  const [file = "", ...args] = needsDirectory ? ["unshare", ...inNamespace, ...command] : command;
  return spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });
}

function clientArguments(directory: string, port: number): string[] {
  return [
    "-F/dev/null",
    `-p${port}`,
    `-i${directory}/user_key`,
    `-S${directory}/master`,
    "-oIdentitiesOnly=yes",
    "-oBatchMode=yes",
    "-oStrictHostKeyChecking=no",
    "-oUserKnownHostsFile=/dev/null",
    "-oLogLevel=ERROR",
    `-l${userInfo().username}`,
    "127.0.0.1",
  ];
}

/** The local command runs once the connection stands and others can share it. */
const masterArguments = ["-M", "-N", "-oPermitLocalCommand=yes", "-oLocalCommand=echo connected"];

/** Resolves when the process has printed a line like this one; rejects if it ends before. */
function line(child: ChildProcess, stream: NodeJS.ReadableStream | null, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${child.spawnfile} ended: ${seen.join(" ")}`)));
    if (stream === null) return;
    createInterface({ input: stream }).on("line", (text) => {
      seen.push(text);
      if (pattern.test(text)) resolve();
    });
  });
}
