import { availableParallelism } from "node:os";
import { configDefaults, defineConfig, type ViteUserConfig } from "vitest/config";

/** Resolves the workspaces to their TypeScript sources, so that no build is needed before a test. */
const conditions = ["@yonder/source"];

/** What every suite has in common; its results land in `.reports/NAME.json`, where .ci/run adds them up. */
export function suite(name: string, { exclude = [], ...own }: NonNullable<ViteUserConfig["test"]>): ViteUserConfig {
  return defineConfig({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      pool: "forks",
      maxWorkers: Math.max(2, availableParallelism() - 1),
      // Only to end what hangs: a machine that is busy with other things as well takes its time.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      reporters: ["default", "json"],
      outputFile: { json: `.reports/${name}.json` },
      exclude: [...configDefaults.exclude, ...exclude],
      ...own,
    },
  });
}
