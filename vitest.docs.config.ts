import { suite } from "./test/suite.ts";

/** What the pages say, run as they say it: `npm run docs:test`. */
export default suite("docs", {
  include: ["test/docs/**/*.test.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
});
