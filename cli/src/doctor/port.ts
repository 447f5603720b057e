import { connect } from "node:net";
import type { NetConnectOpts } from "node:net";
import { codeOf, failed, ok, warning, wordsOf } from "./finding.ts";
import type { Finding, Subject } from "./finding.ts";
import { within } from "./within.ts";

/** Whether somebody opens: each address of the name is knocked at. */
export async function checkPort(subject: Subject, addresses: readonly string[]): Promise<Finding> {
  const { target } = subject.address;
  if ("path" in target) return await checkSocket(target.path, subject.timeoutMs);
  const { port } = target;
  const knocks = await Promise.all(
    addresses.map(async (host) => ({ host, error: await knock({ host, port }, subject.timeoutMs) })),
  );
  const open = knocks.filter(({ error }) => error === undefined).map(({ host }) => host);
  const shut = knocks.filter(({ error }) => error !== undefined);
  const told = shut.map(({ host, error }) => `${host}: ${shortOf(error)}`).join("; ");
  if (open.length === 0)
    return failed("port", `port ${port} is not open: ${told}`, remedy(codeOf(shut[0]?.error), port));
  const detail = `port ${port} is open at ${open.join(", ")}${shut.length > 0 ? `, not at ${told}` : ""}`;
  // A refusal costs nothing; silence costs each connection some time.
  if (shut.every(({ error }) => codeOf(error) === "ECONNREFUSED")) return ok("port", detail);
  return warning(
    "port",
    detail,
    "Take the addresses that do not answer out of the name's records; each slows connections down.",
  );
}

async function checkSocket(path: string, timeoutMs: number): Promise<Finding> {
  const error = await knock({ path }, timeoutMs);
  if (error === undefined) return ok("port", `the socket ${path} is open`);
  const [why, remedy] = socketFaults[codeOf(error)] ?? [wordsOf(error), "Look at it with `ls -l`."];
  return failed("port", `the socket ${path} is not open: ${why}`, remedy);
}

const socketFaults: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOENT: ["it does not exist", "Start the server with `yonder serve --socket PATH`, or mend the path."],
  ENOTSOCK: ["it is no socket", "Mend the path."],
  EACCES: ["your user may not open it", "Its mode is 0600: work as the user that the server runs as."],
  ECONNREFUSED: ["nobody listens on it any more", "Start the server again; it replaces the socket that is left over."],
};

/** Undefined where it opens. */
async function knock(target: NetConnectOpts, timeoutMs: number): Promise<unknown> {
  const socket = connect(target);
  try {
    const opened = new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    await within(timeoutMs, "the port", opened);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}

function shortOf(error: unknown): string {
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      return "nothing listens there";
    case "ETIMEDOUT":
      return "no answer";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no way to it";
    default:
      return wordsOf(error);
  }
}

function remedy(code: string, port: number): string {
  switch (code) {
    case "ECONNREFUSED":
      return (
        `Start the server there, or mend the port: \`yonder serve --port ${port}\`. One that listens on 127.0.0.1 is not ` +
        "reached from outside its machine or container: give it --host 0.0.0.0, and publish the port."
      );
    case "ETIMEDOUT":
      return "A firewall or a security group swallows it, or the machine is off: let the port through.";
    default:
      return "See whether this machine is online, and whether a VPN has to be up.";
  }
}
