// Builds the reference, readable offline: the TypeScript packages from their doc comments with TypeDoc, the contract from
// its protos with protoc-gen-doc. Into reference/, or into the directory that is given. The tools come into .cache/, once:
// TypeDoc wants a TypeScript of its own, older than the one that the project is compiled with.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const versions = { typedoc: "0.28.20", typescript: "6.0.3", "protoc-gen-doc": "1.5.1" };

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = resolve(process.argv[2] ?? join(root, "reference"));
const cache = join(root, ".cache", `typedoc-${versions.typedoc}`);
const tools = join(root, ".cache", "tools");

if (!existsSync(join(cache, "node_modules/typedoc"))) fetchTypedoc();
if (!existsSync(join(tools, "protoc-gen-doc"))) fetchProtocGenDoc();

const configuration = join(cache, "tsconfig.json");
const settings = {
  extends: join(root, "tsconfig.base.json"),
  compilerOptions: { noEmit: true, typeRoots: [join(root, "node_modules/@types")] },
  files: entryPoints(),
};
writeFileSync(configuration, JSON.stringify(settings));
const options = {
  name: "Yonder",
  entryPoints: entryPoints(),
  tsconfig: configuration,
  out: join(output, "typescript"),
  basePath: root,
  readme: "none",
  disableSources: true,
  treatWarningsAsErrors: true,
  // The project's own compiler has checked them.
  skipErrorChecking: true,
  validation: { notExported: false },
};
writeFileSync(
  join(cache, "typedoc.config.mjs"),
  // The stubs' own tag is known to their generator alone.
  `import { OptionDefaults } from "typedoc";
   export default { ...${JSON.stringify(options)}, blockTags: [...OptionDefaults.blockTags, "@generated"] };`,
);
rmSync(output, { recursive: true, force: true });
run(join(cache, "node_modules/.bin/typedoc"), ["--options", join(cache, "typedoc.config.mjs")]);
mkdirSync(output, { recursive: true });
const template = {
  version: "v2",
  plugins: [{ local: join(tools, "protoc-gen-doc"), out: output, opt: "html,contract.html", strategy: "all" }],
};
run(join(root, "node_modules/.bin/buf"), ["generate", "proto", "--template", JSON.stringify(template)]);
console.log(`reference: ${join(output, "typescript/index.html")}\nreference: ${join(output, "contract.html")}`);

/** What applications import: whatever the packages export. */
function entryPoints() {
  return ["client", "server"].flatMap((name) => {
    const { exports } = JSON.parse(readFileSync(join(root, name, "package.json"), "utf8"));
    const sources = Object.values(exports).map((entry) => entry["@yonder/source"]);
    return sources.filter((source) => source !== undefined).map((source) => join(root, name, source));
  });
}

function fetchTypedoc() {
  console.error(`reference: fetching TypeDoc ${versions.typedoc} …`);
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  // A package of its own, or npm would install into the workspace's root.
  writeFileSync(join(cache, "package.json"), JSON.stringify({ private: true }));
  const packages = [`typedoc@${versions.typedoc}`, `typescript@${versions.typescript}`];
  run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", ...packages], { cwd: cache });
}

function fetchProtocGenDoc() {
  console.error(`reference: building protoc-gen-doc ${versions["protoc-gen-doc"]} …`);
  const module = `github.com/pseudomuto/protoc-gen-doc/cmd/protoc-gen-doc@v${versions["protoc-gen-doc"]}`;
  run("go", ["install", module], { env: { ...process.env, GOBIN: tools } });
}

function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    ...options,
  });
  if (status === 0) return;
  console.error(`reference: ${program} failed: ${error?.message ?? `exit code ${status}`}`);
  process.exit(1);
}
