// Installs the dependencies when they are missing or older than package-lock.json; otherwise does nothing, quickly.
// Starts on whatever Node the machine has, before anything is installed: no dependencies, no recent syntax.
// `--force` installs anew in any case.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const root = resolve(import.meta.dirname ?? new URL("..", import.meta.url).pathname, import.meta.dirname ? ".." : ".");
const modules = join(root, "node_modules");
const stamp = join(modules, ".yonder-setup");
const isMac = process.platform === "darwin";

const wanted = [
  process.platform,
  process.arch,
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex"),
].join(" ");

if (process.argv.includes("--force") || !existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  checkTools();
  install();
  writeFileSync(stamp, wanted);
  checkResult();
}

function checkTools() {
  // Node 20 is enough to install: the project brings the Node it is developed on as a dependency.
  if (Number(process.versions.node.split(".")[0]) < 20) {
    fail(
      `Node.js 20 or newer is needed, this is ${process.versions.node}.`,
      isMac
        ? "brew install node"
        : "curl -fsSL https://deb.nodesource.com/setup_24.x | sudo bash - && sudo apt-get install -y nodejs",
    );
  }
  if (spawnSync("git", ["--version"], { stdio: "ignore" }).status !== 0) {
    fail("git is needed and was not found.", isMac ? "xcode-select --install" : "sudo apt-get install -y git");
  }
}

function install() {
  console.error("setup: installing the dependencies (about half a minute) …");
  // Without our own .bin first, so that npm does not run on the Node that it is about to replace.
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((directory) => resolve(directory) !== join(modules, ".bin"))
    .join(delimiter);
  // npm's warnings about engines concern the Node that installs, not the one that everything runs on.
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (error)
    fail(`npm could not be started: ${error.message}`, "see https://docs.npmjs.com/downloading-and-installing");
  if (status !== 0) fail(`npm ci failed with exit code ${status}; its messages are above.`);
}

function checkResult() {
  if (!existsSync(join(modules, "node", "bin", "node")) && !isAtLeast(process.versions.node, 22, 13)) {
    fail(
      `Node.js 22.13 or newer is needed, this is ${process.versions.node}, and the project's own was not installed ` +
        "since npm is configured not to run install scripts.",
      "npm config set ignore-scripts false && npm run setup -- --force",
    );
  }
  // An optional dependency: npm goes on without a word when it cannot be compiled.
  if (!existsSync(join(modules, "node-pty", "package.json"))) {
    const tools = isMac ? "xcode-select --install" : "sudo apt-get install -y python3 make g++";
    console.error("setup: node-pty could not be compiled; everything works but terminals, whose tests are skipped.");
    console.error(`setup: to have them:  ${tools} && npm run setup -- --force`);
  }
  // Compiled by the server's own install script, whose output npm keeps to itself.
  if (!existsSync(join(root, "server", "native", "build", "posix-spawn.node"))) {
    const tools = isMac ? "xcode-select --install" : "sudo apt-get install -y gcc libc6-dev";
    console.error(
      "setup: there is no C compiler; everything works, but commands take longer to start, and files to come down.",
    );
    console.error(`setup: to have it:  ${tools} && npm run setup -- --force`);
  }
}

function isAtLeast(version, major, minor) {
  const [a, b] = version.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}

function fail(message, remedy) {
  console.error(`setup: ${message}`);
  if (remedy) console.error(`setup: to fix it:  ${remedy}`);
  process.exit(1);
}
