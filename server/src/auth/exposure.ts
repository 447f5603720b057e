import { lookup } from "node:dns/promises";
import { BlockList } from "node:net";
import { ConfigError } from "../config/config-error.ts";

export interface Exposure {
  /** Undefined: a UNIX socket. */
  readonly host: string | undefined;
  readonly hasKey: boolean;
  readonly noAuth: boolean;
  readonly hasTls: boolean;
  readonly allowCleartext: boolean;
}

/** Throws a ConfigError where others than this machine's users could call without a key, or read along. */
export async function checkExposure({ host, hasKey, noAuth, hasTls, allowCleartext }: Exposure): Promise<void> {
  if (hasKey && noAuth) throw new ConfigError("--no-auth waives the key, but there is one: give only one of the two");
  if (host === undefined || (await isLoopback(host))) return;
  const faults: string[] = [];
  if (!hasKey && !noAuth) {
    faults.push(
      "without a key: anybody who can reach the port could run commands.\n" +
        "  Give --api-key-file FILE (`yonder key` makes a key), or --no-auth if that is meant.",
    );
  }
  if (!hasTls && !allowCleartext) {
    faults.push(
      "without TLS: keys and everything else could be read on the way.\n" +
        "  Give --tls-cert FILE and --tls-key FILE, or --allow-cleartext if something in front of it does TLS.",
    );
  }
  if (faults.length > 0)
    throw new ConfigError(faults.map((fault) => `Refusing to listen on ${host} ${fault}`).join("\n"));
}

/** Whether an address or name means this machine only. A name that means nothing does not. */
export async function isLoopback(host: string): Promise<boolean> {
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return (
    addresses.length > 0 &&
    addresses.every(({ address, family }) => loopback.check(address, family === 6 ? "ipv6" : "ipv4"))
  );
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");
