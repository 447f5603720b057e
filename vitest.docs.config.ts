import { configDefaults, defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** What the pages say, run as they say it: `npm run docs:test`. */
const docs = mergeConfig(base, defineConfig({ test: { testTimeout: 120_000, hookTimeout: 120_000 } }));

// Set after the merge, which would join the lists.
docs.test = {
  ...docs.test,
  include: ["test/docs/**/*.test.ts"],
  exclude: configDefaults.exclude,
  outputFile: { json: ".reports/docs.json" },
};

export default docs;
