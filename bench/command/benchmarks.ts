import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Benchmark, Row } from "../kit/benchmark.ts";
import { percentile } from "../kit/statistics.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import { startPrivateSshd } from "../peers/private-sshd.ts";

const yonder = fileURLToPath(new URL("../../cli/bin/yonder.js", import.meta.url));

/** One call of the command, from the start of its process to its end, beside Node alone and ssh. */
const command: Benchmark = {
  name: "command",
  async run(context) {
    const { host, apiKey } = await startYonderServer(context);
    const ssh = await startPrivateSshd(context);
    const env = { ...process.env, YONDER_HOST: host, YONDER_API_KEY: apiKey };
    const call = (...words: string[]): Contender => ({
      role: "yonder",
      who: ["yonder", ...words].join(" "),
      command: ["yonder", ...words].join(" "),
      file: process.execPath,
      args: [yonder, ...words],
      ms: [],
    });
    const contenders: Contender[] = [
      { ...call(), role: "floor", who: "Node alone", command: "node -e 0", args: ["-e", "0"] },
      call("--version"),
      call("--help"),
      call("ps"),
      call("exec", "true"),
    ];
    if ("sshArguments" in ssh) {
      const own = ssh.sshArguments.filter((each) => !each.startsWith("-S"));
      const peer = { role: "peer", command: "ssh host true", file: "ssh", ms: [] } as const;
      contenders.push({ ...peer, who: "ssh, a connection of its own", args: [...own, "true"], ms: [] });
      contenders.push({ ...peer, who: "ssh, connection shared", args: [...ssh.sshArguments, "true"], ms: [] });
    }
    // One round warms up the file cache.
    for (let round = -1; round < context.rounds; round++) {
      for (const { file, args, ms } of contenders) {
        const begin = performance.now();
        const child = spawn(file, args, { stdio: "ignore", env });
        const [code] = (await once(child, "exit")) as [number | null];
        if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code}`);
        if (round >= 0) ms.push(performance.now() - begin);
      }
    }
    const rows = contenders.map(({ role, who, command, ms }) => {
      return { role, who, command, samples: ms.length, values: [50, 90, 0].map((each) => percentile(ms, each)) };
    });
    const notes = "missing" in ssh ? [ssh.missing] : [];
    return {
      title: "one call of the command",
      unit: "ms",
      better: "lower",
      columns: ["p50", "p90", "best"],
      rows,
      notes,
    };
  },
};

export const benchmarks: Benchmark[] = [command];

interface Contender extends Pick<Row, "role" | "who" | "command"> {
  readonly file: string;
  readonly args: readonly string[];
  readonly ms: number[];
}
