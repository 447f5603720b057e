// What CI runs: every check, each even if one before it failed, then a line each on how it went.
import { spawnSync } from "node:child_process";

const steps = ["check:format", "lint", "check:contract", "build", "typecheck", "quickstart", "test"];

const results = steps.map((step) => {
  console.log(`\n── ${step}`);
  const begin = performance.now();
  const { status } = spawnSync("npm", ["run", "--silent", step], { stdio: "inherit" });
  return { step, ok: status === 0, seconds: (performance.now() - begin) / 1000 };
});

console.log("");
for (const { step, ok, seconds } of results) {
  console.log(`${ok ? "ok    " : "FAILED"} ${step.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s`);
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
