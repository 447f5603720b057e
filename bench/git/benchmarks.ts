import type { Benchmark } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import { percentile } from "../kit/statistics.ts";
import { takeTurns } from "../kit/take-turns.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import { CHANGED_SHARE, EDITED, makeLargeRepository } from "./large-repository.ts";

export const benchmarks: Benchmark[] = [
  createGitBenchmark("git-changes", ["changes"], "git diff --name-status HEAD; git ls-files --others"),
  createGitBenchmark("git-diff", ["diff", EDITED], "git show HEAD:file; cat file; git diff HEAD -- file"),
];

/** How long one question about a large repository takes, beside what a person would type for the same answer. */
function createGitBenchmark(name: string, args: readonly string[], typed: string): Benchmark {
  return {
    name,
    async run(context) {
      const { host, apiKey, workingDirectory } = await startYonderServer(context);
      const files = context.quick ? 1_000 : 50_000;
      const changes = files * CHANGED_SHARE;
      await makeLargeRepository(workingDirectory, files);
      const contenders = [
        await startContender(context, {
          role: "floor",
          who: "git, one command after the other",
          module: new URL("../floors/git-commands.ts", import.meta.url),
          settings: { settings: { directory: workingDirectory } },
        }),
        await startContender(context, {
          role: "yonder",
          who: "TypeScript client, gRPC",
          module: new URL("../clients/git-client.ts", import.meta.url),
          settings: { host, apiKey, changes },
        }),
      ];
      const timings = await takeTurns(contenders, { program: { args }, times: 1, parallel: false }, context.rounds);
      const rows = [...timings].map(([{ role, who }, turns]) => {
        const ms = turns.flatMap((turn) => turn.ms);
        const command = role === "floor" ? typed : name === "git-changes" ? 'gitChanges(".")' : "gitDiff(file)";
        return { role, who, command, samples: ms.length, values: [percentile(ms, 50), percentile(ms, 90)] };
      });
      const title = `${name === "git-changes" ? "what differs" : "one file's diff"} in ${files} files, ${changes} of them changed`;
      return { title, unit: "ms", better: "lower", columns: ["p50", "p90"], rows, notes: [] };
    },
  };
}
