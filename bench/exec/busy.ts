import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark, Row } from "../kit/benchmark.ts";
import { percentile } from "../kit/statistics.ts";
import { startWorker } from "../kit/worker.ts";
import { startYonderServer } from "../kit/yonder-server.ts";

/** How long a small command takes while a large file goes up over the same connection: a gibibyte a round. */
export const busyBenchmark: Benchmark = {
  name: "exec-busy",
  async run(context) {
    const { host, apiKey, workingDirectory } = await startYonderServer(context);
    const module = new URL("../clients/busy-client.ts", import.meta.url);
    const client = startWorker(context, { module, settings: { host, apiKey } });
    await client.receive();
    const ask = async (task: object): Promise<number[]> => {
      client.send(task);
      return ((await client.receive()) as { ms: number[] }).ms;
    };
    const [idleTimes, gib] = context.quick ? [20, 0.25] : [500, context.rounds];
    const source = join(context.directory, "source");
    const destination = join(workingDirectory, "destination");
    writeFileSync(source, "");
    truncateSync(source, gib * 2 ** 30);
    await ask({ times: idleTimes / 5 });
    const idle = await ask({ times: idleTimes });
    const busy = await ask({ source, destination });
    rmSync(destination);
    // Both halves of the idle time, so that a busy minute of the machine hits all.
    idle.push(...(await ask({ times: idleTimes })));
    const row = (role: Row["role"], who: string, ms: number[]): Row => {
      const values = [percentile(ms, 99), percentile(ms, 50), percentile(ms, 100)];
      return { role, who, command: "true", samples: ms.length, values };
    };
    return {
      title: `one small command after the other while ${gib} GiB go up over the same connection`,
      unit: "ms",
      better: "lower",
      columns: ["p99", "p50", "worst"],
      rows: [
        row("floor", "yonder, nothing else going on", idle),
        { ...row("yonder", "yonder, during the upload", busy), target: { ratio: 3 } },
      ],
      notes: [],
    };
  },
};
