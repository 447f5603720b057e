import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

/** A real repository, worked on with the git that is installed. */
export interface Repository {
  readonly path: string;
  /** Runs git in it; answers what it printed. */
  git(...args: string[]): string;
  /** The same, byte for byte. */
  raw(...args: string[]): Buffer;
  write(name: string | Buffer, content: string | Buffer): void;
  remove(name: string | Buffer): void;
  /** Stages everything and commits it; answers the commit's id. */
  commit(message?: string): string;
}

const settings = `[user]
	name = Test
	email = test@example.com
[init]
	defaultBranch = main
[commit]
	gpgsign = false
[advice]
	detachedHead = false
[protocol "file"]
	allow = always
`;

const home = mkdtempSync(join(tmpdir(), "yonder-gitconfig-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Lets neither the user's nor the machine's configuration into git, ours or the server's, for as long as this file runs. */
export function isolateGit(): void {
  if (process.env["GIT_CONFIG_GLOBAL"]?.startsWith(home) === true) return;
  writeFileSync(join(home, "config"), settings);
  process.env["GIT_CONFIG_GLOBAL"] = join(home, "config");
  process.env["GIT_CONFIG_NOSYSTEM"] = "1";
}

/** A directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "yonder-git-test-")));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function openRepository(path: string): Repository {
  isolateGit();
  const at = (name: string | Buffer): Buffer => Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name)]);
  const raw = (...args: string[]): Buffer =>
    execFileSync("git", args, { cwd: path, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28 });
  const git = (...args: string[]): string =>
    raw(...args)
      .toString("utf8")
      .trimEnd();
  return {
    path,
    raw,
    git,
    write(name, content) {
      const file = at(name);
      mkdirSync(file.subarray(0, file.lastIndexOf("/")), { recursive: true });
      writeFileSync(file, content);
    },
    remove: (name) => rmSync(at(name), { recursive: true }),
    commit(message = "a commit") {
      git("add", "--all");
      git("commit", "--allow-empty", "--message", message);
      return git("rev-parse", "HEAD");
    },
  };
}

/** Makes a repository, in a directory that goes with the test where none is named. */
export function makeRepository(path = join(temporaryDirectory(), "repository"), ...options: string[]): Repository {
  isolateGit();
  mkdirSync(path, { recursive: true });
  execFileSync("git", ["init", "--quiet", ...options, path], { stdio: "ignore" });
  return openRepository(path);
}

/** A clone of a repository beside it, which knows it as origin. */
export function cloneOf(origin: Repository, name = "clone"): Repository {
  const path = join(dirname(origin.path), name);
  execFileSync("git", ["clone", "--quiet", origin.path, path], { stdio: "ignore" });
  return openRepository(path);
}
