// What people use instead to move files: scp and sftp, and for trees tar through ssh. Each is a process of its own, as it
// is used, over a connection that stands already.
import type { BenchmarkContext } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import type { Mover, Verb } from "../files/movers.ts";
import { startPrivateSshd } from "./private-sshd.ts";

/** Starts them; or tells in a note why there are none. */
export async function startSshMovers(
  context: BenchmarkContext,
  kind: "file" | "tree",
): Promise<{ readonly movers: readonly Mover[]; readonly notes: readonly string[] }> {
  const ssh = await startPrivateSshd(context);
  if ("missing" in ssh) return { movers: [], notes: [`left out scp, sftp and tar through ssh: ${ssh.missing}`] };
  const start = async (who: string, program: Mover["program"]): Promise<Mover> => {
    const module = new URL("../floors/local-spawn.ts", import.meta.url);
    return { contender: await startContender(context, { role: "peer", who, module }), program };
  };
  const shell = ["ssh", ...ssh.sshArguments].map(quote).join(" ");
  if (kind === "tree") return { movers: [await start("GNU tar through ssh", tarThrough(shell))], notes: [] };
  // They know no -S for a control socket, and take the port and the user otherwise than ssh does.
  const options = ssh.sshArguments
    .filter((option) => option.startsWith("-") && !option.startsWith("-l"))
    .map((option) => option.replace(/^-S/, "-oControlPath=").replace(/^-p/, "-P"));
  const host = "127.0.0.1";
  return {
    movers: [
      await start("scp, connection shared", (verb, source, destination) => ({
        args: [
          "scp",
          "-q",
          ...options,
          ...(verb === "put" ? [source, `${host}:${destination}`] : [`${host}:${source}`, destination]),
        ],
      })),
      await start("sftp, connection shared", (verb, source, destination) => ({
        command: `echo ${quote(`${verb} ${source} ${destination}`)} | ${["sftp", "-q", "-b-", ...options, host].map(quote).join(" ")}`,
      })),
    ],
    notes: [],
  };
}

function tarThrough(shell: string) {
  return (verb: Verb, source: string, destination: string) => ({
    command:
      verb === "put"
        ? `tar -C ${quote(source)} -c . | ${shell} ${quote(`mkdir -p ${destination} && tar -C ${destination} -x`)}`
        : `mkdir -p ${quote(destination)} && ${shell} ${quote(`tar -C ${source} -c .`)} | tar -C ${quote(destination)} -x`,
  });
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
