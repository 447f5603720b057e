import { configDefaults, defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** What takes minutes: run by `npm run test:slow`, one file at a time so that figures are not another test's noise. */
const slow = mergeConfig(base, defineConfig({ test: { fileParallelism: false, testTimeout: 300_000 } }));

// Set after the merge, which would join the lists.
slow.test = {
  ...slow.test,
  include: ["test/slow/**/*.test.ts"],
  exclude: configDefaults.exclude,
  outputFile: { json: ".reports/slow.json" },
};

export default slow;
