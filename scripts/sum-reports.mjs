// Adds up vitest's JSON reports in .reports/ and prints `N passed, N failed, N skipped`. Exits with 1 if anything failed
// or a report that is named as an argument is missing, and says before what failed, a line each.
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const total = { passed: 0, failed: 0, skipped: 0 };
let complete = true;

for (const name of process.argv.slice(2)) {
  const path = join(".reports", `${name}.json`);
  if (!existsSync(path)) {
    console.error(`${path} is missing: the run ended before its report was written`);
    complete = false;
    continue;
  }
  const report = JSON.parse(readFileSync(path, "utf8"));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not be loaded has no tests; it counts as one that failed.
  total.failed += report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  ).length;
  complete &&= report.success;
  for (const { name: file, message, status, assertionResults } of report.testResults) {
    const failed = assertionResults.filter((test) => test.status === "failed");
    for (const test of failed) tell(file, test.fullName, test.failureMessages[0]);
    if (status === "failed" && failed.length === 0) tell(file, "could not be run", message);
  }
}

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = complete && total.failed === 0 ? 0 : 1;

function tell(file, what, message = "") {
  console.log(`FAILED ${relative(process.cwd(), file)} > ${what}: ${stripVTControlCharacters(message).split("\n")[0]}`);
}
