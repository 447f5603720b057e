// What each language needs, and how its examples are generated, built and run. Downloads and builds lie in .cache/.
const vectors = "test/vectors/messages.json";
const fromExample = `../../${vectors}`;
const checked = /\d{3,} vectors checked/;
const python = ".cache/languages/python";
const rust = { CARGO_TARGET_DIR: "../../.cache/languages/rust" };
const maven = ["mvn", "--quiet", "--batch-mode"];
const tourOf = (command, more = {}) => ({ name: "takes the tour", command, prints: "tour", ...more });
/** A tour, and the same with a key that is none: what is wrong is said, and the exit code tells it. */
const andRefusal = (tour) => {
  const name = tour.name.replace("takes the tour", "says that a key is wrong");
  const env = { ...tour.env, YONDER_API_KEY: "wrong" };
  return [tour, { ...tour, name, env, prints: undefined, fails: /does not take this API key/ }];
};
const vectorsOf = (command, more = {}) => ({ name: "checks the test vectors", command, prints: checked, ...more });

export const languages = {
  typescript: {
    tools: [],
    steps: [
      ...andRefusal(tourOf(["node", "--conditions=@yonder/source", "examples/typescript/tour.ts"])),
      vectorsOf(["npx", "vitest", "run", "test/vectors", "--reporter=default", "--no-file-parallelism"], {
        prints: /Tests .*passed/,
      }),
    ],
  },
  "grpc-js": {
    tools: [],
    steps: [
      ...andRefusal(tourOf(["node", "examples/grpc-js/tour.mjs"])),
      vectorsOf(["node", "examples/grpc-js/vectors.mjs", vectors]),
    ],
  },
  python: {
    tools: [["python3", "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"]],
    steps: [
      { name: "makes a virtual environment", command: ["python3", "-m", "venv", python], isNeeded: true },
      pip("installs what the examples need", "-r", "examples/python/requirements.txt"),
      inPython("makes stubs with plain protoc", ["python", "generate.py"], { isNeeded: true }),
      inPython("makes stubs with buf", ["buf", "generate"], { isNeeded: true }),
      ...andRefusal(inPython("takes the tour on grpcio", ["python", "grpcio_tour.py"], { prints: "tour" })),
      ...andRefusal(inPython("takes the tour on Connect", ["python", "connect_tour.py"], { prints: "tour" })),
      inPython("checks the test vectors", ["python", "vectors.py", fromExample], { prints: checked }),
      pip("installs the package", "./clients/python[test]"),
      inPackage("checks the package's types", ["python", "-m", "mypy"]),
      inPackage("lints the package", ["ruff", "check", "--no-cache", "."]),
      inPackage("checks the package's format", ["ruff", "format", "--no-cache", "--check", "."]),
      inPackage("tests the package", ["python", "-m", "pytest", "--quiet", "--junitxml=../../.reports/python.xml"], {
        junit: ".reports/python.xml",
      }),
    ],
  },
  go: {
    tools: [["go", "version"]],
    steps: [
      inGo("makes stubs with buf", ["buf", "generate"], { isNeeded: true }),
      inGo("builds", ["go", "build", "-o", "../../.cache/languages/go/", "./..."], { isNeeded: true }),
      ...andRefusal(inGo("takes the tour on grpc-go", ["../../.cache/languages/go/grpctour"], { prints: "tour" })),
      ...andRefusal(
        inGo("takes the tour on connect-go", ["../../.cache/languages/go/connecttour"], { prints: "tour" }),
      ),
      inGo("checks the test vectors", ["../../.cache/languages/go/vectors", fromExample], { prints: checked }),
    ],
  },
  rust: {
    tools: [["cargo", "--version"]],
    steps: [
      inRust("makes stubs and builds", ["cargo", "build", "--quiet", "--locked"], { isNeeded: true }),
      ...andRefusal(inRust("takes the tour on tonic", ["cargo", "run", "--quiet", "--locked"], { prints: "tour" })),
      inRust("checks the test vectors", ["cargo", "run", "--quiet", "--locked", "--", "vectors", fromExample], {
        prints: checked,
      }),
    ],
  },
  java: {
    tools: [
      ["mvn", "--version"],
      ["javac", "--version"],
    ],
    steps: [
      inJava("makes stubs and builds", [...maven, "clean", "compile"], { isNeeded: true }),
      ...andRefusal(inJava("takes the tour on grpc-java", [...maven, "exec:java"], { prints: "tour" })),
      inJava("checks the test vectors", [...maven, "exec:java", `-Dexec.args=vectors ${fromExample}`], {
        prints: checked,
      }),
    ],
  },
};

function pip(name, ...args) {
  const command = ["python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...args];
  return { name, command, env: { PATH: `${python}/bin` }, isNeeded: true };
}

function inPython(name, command, more) {
  return { name, command, cwd: "examples/python", env: { PATH: `${python}/bin` }, ...more };
}

function inPackage(name, command, more) {
  return { name, command, cwd: "clients/python", env: { PATH: `${python}/bin` }, ...more };
}

function inGo(name, command, more) {
  return { name, command, cwd: "examples/go", ...more };
}

function inRust(name, command, more) {
  return { name, command, cwd: "examples/rust", env: rust, ...more };
}

function inJava(name, command, more) {
  return { name, command, cwd: "examples/java", ...more };
}
