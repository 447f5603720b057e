import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The stock command-line client: the one that CI builds from its Go module, or one in the PATH. */
export const grpcurl = firstThatRuns([pathOf("../../.cache/tools/grpcurl"), "grpcurl"], ["-version"]);

/** Debian's own Python with its grpcio, whatever else is called python3 here. */
export const pythonWithGrpc = firstThatRuns(["/usr/bin/python3", "python3"], ["-c", "import grpc, google.protobuf"]);

/** A terminal as people have it, for tests to type into. */
export const tmuxProgram = firstThatRuns(["tmux"], ["-V"]);

export const buf = pathOf("../../node_modules/.bin/buf");

/** Says loudly why tests are skipped, once a file. In CI everything that it installs must be there. */
export function skipUnless(program: string | undefined, name: string, remedy: string): boolean {
  if (program !== undefined) return false;
  process.stderr.write(`SKIP ${name}: not found; ${remedy}\n`);
  return true;
}

function firstThatRuns(candidates: readonly string[], args: readonly string[]): string | undefined {
  return candidates.find((program) => {
    if (program.startsWith("/") && !existsSync(program)) return false;
    try {
      execFileSync(program, args, { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** The shell, where it is installed. */
export function shellThatRuns(shell: "bash" | "zsh" | "fish"): string | undefined {
  return firstThatRuns([shell], ["-c", "true"]);
}

/** Whether node-pty is built: its path, or undefined. */
export const hasTerminals = firstThatRuns([process.execPath], ["-e", "require('node-pty')"]);

/** What typesets man pages. */
export const groff = firstThatRuns(["groff"], ["--version"]);
