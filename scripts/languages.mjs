// Generates, builds and runs the examples of each language, and the Python package's tests, against a live server:
// `npm run languages [NAME…]`. A language whose tool chain is missing is passed over and named, or fails where
// REQUIRE_LANGUAGES=1. The results go to .reports/languages.json, in the form that scripts/sum-reports.mjs reads.
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { languages } from "./language-steps.mjs";

const root = join(import.meta.dirname, "..");
const wanted = new Set(process.argv.slice(2));
const unknown = [...wanted].filter((name) => !(name in languages));
if (unknown.length > 0) {
  console.error(`languages: there is no ${unknown.join(", ")}; there are ${Object.keys(languages).join(", ")}`);
  process.exit(2);
}

/** What every tour prints, whatever it is written in. */
const tour = readFileSync(join(root, "examples/tour.txt"), "utf8");
/** More than any step takes, on a machine with two busy cores and nothing downloaded. */
const longestMs = 15 * 60_000;
const results = [];
mkdirSync(join(root, ".cache/languages"), { recursive: true });

for (const [language, { tools, steps }] of Object.entries(languages)) {
  if (wanted.size > 0 && !wanted.has(language)) continue;
  const missing = tools.filter(([program, ...args]) => spawnSync(program, args, { stdio: "ignore" }).status !== 0);
  console.log(`\n── ${language}`);
  if (missing.length === 0) {
    await runSteps(language, steps);
    continue;
  }
  const names = missing.map(([program]) => program).join(", ");
  const isRequired = process.env.REQUIRE_LANGUAGES === "1";
  console.error(`${isRequired ? "FAILED" : "SKIPPED"} ${language}: ${names} not found`);
  results.push({ name: `${language}: has its tools`, status: isRequired ? "failed" : "pending" });
}

report();

async function runSteps(language, steps) {
  const server = await startServer();
  try {
    for (const step of steps) {
      const begin = performance.now();
      const failure = await runStep(step, server.environment);
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      console.log(`${failure === undefined ? "ok    " : "FAILED"} ${step.name.padEnd(40)} ${seconds.padStart(6)} s`);
      if (failure !== undefined) console.error(failure);
      if (step.junit === undefined) {
        results.push({ name: `${language}: ${step.name}`, status: failure === undefined ? "passed" : "failed" });
      } else {
        results.push(...(await junitResults(language, step)));
      }
      if (failure !== undefined && step.isNeeded) return;
    }
  } finally {
    await server.stop();
  }
}

/** Says what is wrong, or undefined. */
async function runStep({ command, cwd = ".", env, prints, fails }, environment) {
  const child = spawn(command[0], command.slice(1), {
    cwd: join(root, cwd),
    env: { ...process.env, ...environment, ...env, PATH: pathWith(env?.PATH) },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: longestMs,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const code = await new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (status, signal) => resolve(status ?? signal));
  });
  if (fails !== undefined) {
    const said = stdout + stderr;
    return code === 0 || !fails.test(said) ? `it ended with ${code} and did not say ${fails}:\n${said}` : undefined;
  }
  if (code !== 0) return `${command.join(" ")} ended with ${code}\n${stdout}${stderr}`;
  // Maven puts a colour's end before and after whatever else is printed.
  const text = stripVTControlCharacters(stdout);
  if (prints === "tour" && text !== tour) return `it printed something else than examples/tour.txt:\n${stdout}`;
  if (prints instanceof RegExp && !prints.test(text)) return `it did not print ${prints}:\n${stdout}`;
}

function pathWith(more) {
  const own = [join(root, "node_modules/.bin"), process.env.PATH];
  return (more === undefined ? own : [join(root, more), ...own]).join(delimiter);
}

/** Pytest's own count, from the report that it wrote; one failure where it wrote none. */
async function junitResults(language, { name, junit }) {
  const path = join(root, junit);
  if (!existsSync(path)) return [{ name: `${language}: ${name}`, status: "failed" }];
  const cases = readFileSync(path, "utf8").match(/<testcase [^>]*?(\/>|>[\s\S]*?<\/testcase>)/g) ?? [];
  rmSync(path);
  return cases.map((text) => {
    const [, title] = /\bname="([^"]*)"/.exec(text) ?? [];
    const status = /<(failure|error)\b/.test(text) ? "failed" : text.includes("<skipped") ? "pending" : "passed";
    return { name: `${language}: ${title}`, status };
  });
}

/** A server of this language's own, over an empty directory; it gets the key's digest alone. */
async function startServer() {
  const directory = mkdtempSync(join(tmpdir(), "yonder-languages-"));
  const apiKey = randomBytes(24).toString("base64url");
  const keyFile = join(directory, "api-keys");
  writeFileSync(keyFile, `sha256:${createHash("sha256").update(apiKey).digest("hex")}\n`, { mode: 0o600 });
  const workspace = join(directory, "workspace");
  mkdirSync(workspace);
  const child = spawn(
    process.execPath,
    [
      join(root, "cli/bin/yonder.js"),
      "serve",
      "--port=0",
      `--working-directory=${workspace}`,
      `--state-directory=${join(directory, "state")}`,
      `--api-key-file=${keyFile}`,
      "--log-level=warn",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const host = await listeningAddress(child);
  return {
    environment: { YONDER_HOST: host, YONDER_API_KEY: apiKey },
    stop: async () => {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function listeningAddress(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /http:\/\/\S+/.exec(line);
    if (found !== null) return found[0];
  }
  throw new Error("the server ended before it listened");
}

function report() {
  const count = (status) => results.filter((result) => result.status === status).length;
  mkdirSync(join(root, ".reports"), { recursive: true });
  const success = count("failed") === 0;
  writeFileSync(
    join(root, ".reports/languages.json"),
    JSON.stringify({
      success,
      numPassedTests: count("passed"),
      numFailedTests: count("failed"),
      numPendingTests: count("pending"),
      numTodoTests: 0,
      testResults: [{ status: success ? "passed" : "failed", assertionResults: results }],
    }),
  );
  console.log(`\n${count("passed")} passed, ${count("failed")} failed, ${count("pending")} skipped`);
  process.exitCode = success ? 0 : 1;
}
