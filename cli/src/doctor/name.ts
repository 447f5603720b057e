import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { codeOf, failed, ok, skipped, wordsOf } from "./finding.ts";
import type { Finding, Subject } from "./finding.ts";
import { within } from "./within.ts";

export interface NameFound {
  readonly finding: Finding;
  /** What to knock at. */
  readonly addresses: readonly string[];
}

/** Whether the host's name leads anywhere, as programs on this machine find it. */
export async function findName({ address: { target }, timeoutMs }: Subject): Promise<NameFound> {
  if ("path" in target) return { finding: skipped("name", "a socket of this machine has none"), addresses: [] };
  const { host } = target;
  if (isIP(host) !== 0) return { finding: skipped("name", `${host} is an address`), addresses: [host] };
  try {
    const found = await within(timeoutMs, "the name servers", lookup(host, { all: true }));
    const addresses = [...new Set(found.map(({ address }) => address))];
    return { finding: ok("name", `${host} is ${addresses.join(", ")}`), addresses };
  } catch (error) {
    return { finding: failed("name", ...describe(host, error)), addresses: [] };
  }
}

function describe(host: string, error: unknown): [detail: string, remedy: string] {
  switch (codeOf(error)) {
    case "ENOTFOUND":
    case "ENODATA":
      return [
        `there is no host ${host}`,
        `Look for a typing mistake; \`getent hosts ${host}\` says the same. A name of a cluster or of a VPN is known only inside.`,
      ];
    case "EAI_AGAIN":
    case "ETIMEDOUT":
      return [
        `nobody says where ${host} is: ${wordsOf(error)}`,
        "See whether this machine is online and its name servers answer: /etc/resolv.conf names them.",
      ];
    default:
      return [`${host} could not be looked up: ${wordsOf(error)}`, "See /etc/resolv.conf and /etc/nsswitch.conf."];
  }
}
