import { suite } from "./test/suite.ts";

/** What takes minutes: run by `npm run test:slow`, one file at a time so that figures are not another test's noise. */
export default suite("slow", { include: ["test/slow/**/*.test.ts"], fileParallelism: false, testTimeout: 300_000 });
