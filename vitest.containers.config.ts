import { suite } from "./test/suite.ts";

/** What needs a container engine: run by `npm run test:containers`, one file at a time since the engine is one. */
export default suite("containers", {
  include: ["test/containers/**/*.test.ts"],
  globalSetup: ["test/helpers/engines/global-setup.ts"],
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // Ending an engine takes its time.
  teardownTimeout: 60_000,
});
