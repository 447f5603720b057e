import { suite } from "./test/suite.ts";

/** What is quick and needs no engine: run by `npm test`. */
export default suite("test", {
  include: ["test/**/*.test.ts"],
  exclude: ["test/slow/**", "test/docs/**", "test/containers/**", "test/fixtures/**"],
});
