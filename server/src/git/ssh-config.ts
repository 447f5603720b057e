import { access } from "node:fs/promises";
import { join } from "node:path";
import type { BoundKey } from "./credentials.ts";

export interface HostKey {
  readonly key: BoundKey;
  /** The socket of the agent that has the key. */
  readonly agent: string;
  /** A file with the known hosts that the call brought, to which nothing of worth is added. */
  readonly knownHosts: string;
}

/**
 * A configuration for ssh in which each key is offered to its own host alone. The user's own configuration and the
 * machine's come after it, for jump hosts and the like: of several values ssh takes the first.
 */
export async function sshConfig(hosts: readonly HostKey[]): Promise<string> {
  const home = process.env["HOME"];
  const files = [...(home === undefined ? [] : [join(home, ".ssh/config")]), "/etc/ssh/ssh_config"];
  const there = await Promise.all(files.map(isThere));
  return [
    ...hosts.flatMap(hostLines),
    "Host *",
    "  BatchMode yes",
    // A shared connection would outlive the call, and with it what it was let in with.
    "  ControlPath none",
    "  ControlMaster no",
    ...files.filter((_, index) => there[index]).map((file) => `  Include ${quoted(file)}`),
    "",
  ].join("\n");
}

function hostLines({ key, agent, knownHosts }: HostKey): string[] {
  const own = quoted(knownHosts);
  const isClosed = key.knownHosts !== "";
  return [
    `Host ${key.hostname}`,
    `  IdentityAgent ${quoted(agent)}`,
    "  IdentityFile none",
    "  IdentitiesOnly no",
    "  PreferredAuthentications publickey",
    `  UserKnownHostsFile ${own}${isClosed ? "" : " ~/.ssh/known_hosts ~/.ssh/known_hosts2"}`,
    ...(isClosed ? ["  GlobalKnownHostsFile /dev/null"] : []),
    `  StrictHostKeyChecking ${key.acceptUnknownHost ? "accept-new" : "yes"}`,
    "  UpdateHostKeys no",
  ];
}

/** ssh puts no quotes into values; the paths are ours, but for the user's home. */
function quoted(path: string): string {
  return `"${path.replaceAll('"', "")}"`;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
