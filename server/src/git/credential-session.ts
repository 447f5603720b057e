import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAskpass, type Askpass } from "./askpass.ts";
import type { BoundCredentials } from "./credentials.ts";
import type { GitSetting } from "./git-environment.ts";
import type { RemoteUrl } from "./remote-url.ts";
import { openSshAgent, type SshAgent } from "./ssh-agent.ts";
import { sshConfig, type HostKey } from "./ssh-config.ts";

/** What leads one git process to the secrets of its call; nothing of it is a secret. */
export interface CredentialSession {
  readonly settings: readonly GitSetting[];
  readonly variables: Readonly<Record<string, string>>;
}

/** Nobody is there to answer ssh, which would otherwise ask on the server's own terminal. */
const NOBODY = { SSH_ASKPASS: "false", SSH_ASKPASS_REQUIRE: "force" };

/**
 * Runs `act` with the secrets within git's reach: passwords over a socket, keys in an agent. Only while it runs, and
 * never on disk: sockets and configuration lie in a private directory, which is removed.
 */
export async function withCredentials<T>(
  { passwords, keys }: BoundCredentials,
  remote: RemoteUrl | undefined,
  act: (session: CredentialSession) => Promise<T>,
): Promise<T> {
  if (passwords.length === 0 && keys.length === 0) return await act({ settings: [], variables: NOBODY });
  const directory = await privateDirectory();
  const open: (Askpass | SshAgent)[] = [];
  try {
    const askpass = await openAskpass(join(directory, "askpass"), passwords, "");
    open.push(askpass);
    const hosts: HostKey[] = [];
    for (const [index, key] of keys.entries()) {
      const own = join(directory, `key-${index}`);
      const passphrase = await openAskpass(`${own}-askpass`, [], key.passphrase);
      open.push(passphrase);
      const agent = await openSshAgent(join(directory, `agent-${index}`), key, passphrase.variables);
      open.push(agent);
      await writeFile(`${own}-hosts`, key.knownHosts, { mode: 0o600 });
      hosts.push({ key, agent: agent.socket, knownHosts: `${own}-hosts` });
    }
    const config = join(directory, "ssh-config");
    await writeFile(config, await sshConfig(hosts), { mode: 0o600 });
    const variables = {
      ...askpass.variables,
      ...NOBODY,
      GIT_SSH_COMMAND: `ssh -F '${config.replaceAll("'", `'\\''`)}'`,
    };
    return await act({
      settings: noHelpers(
        passwords.map(({ origin }) => origin),
        remote,
      ),
      variables,
    });
  } finally {
    await Promise.all(open.map((part) => part.close()));
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Empties the list of credential helpers: one would answer first, and one that stores would write the password down.
 * Git takes the setting of the closest URL, so the empty one stands for each of them.
 */
function noHelpers(origins: readonly string[], remote: RemoteUrl | undefined): GitSetting[] {
  const urls = [...origins, ...(remote === undefined || remote.origin === undefined ? [] : [remote.url])];
  return [["credential.helper", ""], ...urls.map((url): GitSetting => [`credential.${url}.helper`, ""])];
}

/** In memory where there is a file system for that, though only sockets and public things lie in it. */
async function privateDirectory(): Promise<string> {
  const prefix = `yonder-git-${process.pid}-`;
  return await mkdtemp(join("/dev/shm", prefix)).catch(() => mkdtemp(join(tmpdir(), prefix)));
}
