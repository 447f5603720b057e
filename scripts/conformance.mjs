// `npm run conformance [-- --stock]`: Connect's conformance suite against the wire, client and server, or with `--stock`
// against connect-node's own in its place. Needs Go, which builds the suite from its module. Nothing is known to fail.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const module = "connectrpc.com/conformance@v1.0.7";
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, ".cache/conformance");
const here = join(root, "test/conformance");
const isStock = process.argv.includes("--stock");
const limitMs = 180_000;

mkdirSync(cache, { recursive: true });
if (spawnSync("go", ["version"]).status !== 0) {
  console.error("conformance: needs Go, which builds the suite: https://go.dev/doc/install");
  process.exit(1);
}
const program = join(cache, "connectconformance");
if (!existsSync(program)) {
  const name = module.replace("@", "/cmd/connectconformance@");
  execFileSync("go", ["install", name], { stdio: "inherit", env: { ...process.env, GOBIN: cache } });
}
const [{ Dir: source }] = JSON.parse(
  `[${execFileSync("go", ["mod", "download", "-json", module], { encoding: "utf8", cwd: cache })}]`,
);
const template = join(cache, "buf.gen.json");
const plugin = {
  local: "protoc-gen-es",
  out: "gen",
  opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
};
writeFileSync(template, JSON.stringify({ version: "v2", clean: true, plugins: [plugin] }));
execFileSync("buf", ["generate", join(source, "proto"), "--template", template, "--output", cache], {
  stdio: "inherit",
});

let failed = 0;
for (const mode of ["client", "server"]) {
  console.log(`\n── ${mode}${isStock ? ", connect-node's own" : ""}`);
  const options = ["--mode", mode, "--conf", join(here, `${mode}.yaml`)];
  const tested = [process.execPath, "--conditions=@yonder/source", join(here, `${mode}.mjs`)];
  const env = { ...process.env, CONFORMANCE_GEN: join(cache, "gen"), STOCK: isStock ? "1" : "0" };
  if ((await run([...options, "--", ...tested], env)) !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;

/** The suite's exit code. It can wait for itself for ever once its client has timed out, where a run takes ten seconds. */
async function run(args, env) {
  const suite = spawn(program, args, { stdio: "inherit", env, detached: true });
  // With the servers that it has started.
  const end = () => process.kill(-Number(suite.pid), "SIGKILL");
  const timer = setTimeout(() => {
    console.error(`conformance: the suite did not end within ${limitMs / 1000} s`);
    end();
  }, limitMs);
  process.once("SIGINT", end);
  const [code] = await once(suite, "exit");
  process.off("SIGINT", end);
  clearTimeout(timer);
  return code;
}
