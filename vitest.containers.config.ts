import { configDefaults, defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** What needs a container engine: run by `npm run test:containers`, one file at a time since the engine is one. */
const containers = mergeConfig(
  base,
  defineConfig({
    test: {
      globalSetup: ["test/helpers/engines/global-setup.ts"],
      fileParallelism: false,
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // Ending an engine takes its time.
      teardownTimeout: 60_000,
    },
  }),
);

// Set after the merge, which would join the lists.
containers.test = {
  ...containers.test,
  include: ["test/containers/**/*.test.ts"],
  exclude: configDefaults.exclude,
  outputFile: { json: ".reports/containers.json" },
};

export default containers;
