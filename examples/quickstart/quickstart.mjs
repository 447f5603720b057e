// Shows the main job in one go: a server of its own over a real git repository, and a client in another process.
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const yonder = fileURLToPath(new URL("../../cli/bin/yonder.js", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "yonder-quickstart-"));
const repository = join(directory, "repository");
const apiKey = randomBytes(24).toString("base64url");

let server;
try {
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", repository]);
  writeFileSync(join(repository, "hello.txt"), "hello\n");
  const author = ["-c", "user.name=Quickstart", "-c", "user.email=quickstart@localhost"];
  execFileSync("git", ["-C", repository, "add", "hello.txt"]);
  execFileSync("git", ["-C", repository, ...author, "commit", "--quiet", "--message=Say hello"]);

  // The server gets the key's digest alone, so that nothing a command can read opens it.
  const keyFile = join(directory, "api-keys");
  writeFileSync(keyFile, `sha256:${createHash("sha256").update(apiKey).digest("hex")}\n`, { mode: 0o600 });
  server = spawn(
    process.execPath,
    [yonder, "serve", "--port=0", `--working-directory=${repository}`, `--api-key-file=${keyFile}`, "--log-level=warn"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const host = await listeningAddress(server);
  console.log(`A server over ${repository} listens on ${host}.\n`);

  const client = spawn(process.execPath, [join(here, "client.mjs")], {
    stdio: "inherit",
    env: { ...process.env, YONDER_HOST: host, YONDER_API_KEY: apiKey },
  });
  const [code] = await once(client, "exit");
  process.exitCode = code ?? 1;
} finally {
  if (server !== undefined && server.exitCode === null) {
    server.kill("SIGTERM");
    await once(server, "exit");
  }
  rmSync(directory, { recursive: true, force: true });
}

async function listeningAddress(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /http:\/\/\S+/.exec(line);
    if (found !== null) return found[0];
  }
  throw new Error("the server ended before it listened");
}
