import { execFile } from "node:child_process";

/** What became of asking a program for its version: the version, or why it cannot be run. */
export type ToolVersion =
  { readonly version: string; readonly problem: "" } | { readonly version: ""; readonly problem: string };

/** How long a program may take to tell its version. */
const longestMs = 3_000;

/** Asks a program with `--version`. Never rejects. */
export async function toolVersion(program: string, environment: NodeJS.ProcessEnv = process.env): Promise<ToolVersion> {
  return await new Promise((resolve) => {
    const options = { env: environment, timeout: longestMs, killSignal: "SIGKILL" as const, maxBuffer: 64 * 1024 };
    execFile(program, ["--version"], options, (error, stdout) => {
      if (error === null) return resolve({ version: versionIn(stdout), problem: "" });
      resolve({ version: "", problem: problemOf(program, error, environment) });
    });
  });
}

/** The first thing that looks like one, or all of the first line. */
function versionIn(text: string): string {
  const [firstLine = ""] = text.trim().split("\n");
  return /\d+(?:\.\w+)+/.exec(firstLine)?.[0] ?? (firstLine.slice(0, 100) || "unknown");
}

function problemOf(
  program: string,
  error: Error & { killed?: boolean; code?: unknown },
  env: NodeJS.ProcessEnv,
): string {
  if (error.killed === true) return `${program} --version did not end within ${longestMs} ms`;
  if (error.code === "ENOENT")
    return `there is no ${program} in the server's PATH, ${JSON.stringify(env["PATH"] ?? "")}`;
  const [firstLine = ""] = error.message.replace(/^Command failed:[^\n]*\n/, "").split("\n");
  return `${program} cannot be run: ${firstLine.trim() || error.message.trim()}`;
}
