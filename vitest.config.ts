import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** Resolves the workspaces to their TypeScript sources, so that no build is needed before a test. */
const conditions = ["@yonder/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/slow/**", "test/docs/**", "test/containers/**", "test/fixtures/**"],
    pool: "forks",
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // On a shared machine one that fails is run once more; whoever develops sees each failure.
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ["default", "json"],
    // The last run's results; .ci/run adds them up.
    outputFile: { json: ".reports/test.json" },
  },
});
