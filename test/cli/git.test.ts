import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serveGitHttps } from "../helpers/git-https.ts";
import { isolateGit, makeRepository, openRepository } from "../helpers/repositories.ts";
import type { Repository } from "../helpers/repositories.ts";
import { serve } from "../helpers/serve.ts";
import { openShell } from "../helpers/shell.ts";
import type { Shell } from "../helpers/shell.ts";

const oddName = Buffer.from("odd\xff\nname", "latin1");

/** A workspace whose directory is a repository with one commit. */
async function open(): Promise<{ repository: Repository; shell: Shell }> {
  isolateGit();
  const server = await serve();
  const repository = makeRepository(server.workingDirectory);
  repository.write("src/a.ts", "one\ntwo\nthree\n");
  repository.write("gone", "gone\n");
  repository.write("moved from", "a file\nthat is moved\nas it is\n");
  repository.commit("Begin\n\nWith a body.");
  return { repository, shell: await openShell(server.url) };
}

/** Changes of every kind. */
function change(repository: Repository): void {
  repository.write("src/a.ts", "one\n2  \nthree\n\n");
  repository.remove("gone");
  repository.git("mv", "moved from", "moved é");
  repository.write(oddName, Buffer.from("\xfe\n", "latin1"));
  repository.git("add", "--all");
  repository.write("new", "untracked\n");
}

function jsonLines(text: string): unknown[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

describe("what has changed", () => {
  test("changes has a line or an object a path, and says in its exit code whether there are any", async () => {
    const { repository, shell } = await open();
    expect(await shell.run("yonder git changes --exit-code")).toMatchObject({ code: 0, stdout: "" });
    change(repository);
    const [plain, json, below, terminal] = await Promise.all([
      shell.run("yonder git changes --base HEAD --exit-code"),
      shell.run("yonder git changes --json"),
      shell.run("yonder git changes src"),
      shell.onTerminal("yonder git changes"),
    ]);
    expect(plain.code).toBe(1);
    expect(plain.bytes.toString("latin1")).toBe(
      Buffer.concat([
        Buffer.from("D gone\nR moved from -> moved é\n? new\nA "),
        oddName,
        Buffer.from("\nM src/a.ts\n"),
      ]).toString("latin1"),
    );
    expect(jsonLines(json.stdout)).toContainEqual({
      status: "MOVED",
      path: "moved é",
      oldPath: "moved from",
      untracked: false,
      conflicted: false,
    });
    expect(jsonLines(json.stdout)).toContainEqual(
      expect.objectContaining({ status: "ADDED", pathBase64: oddName.toString("base64") }),
    );
    expect(below.stdout).toBe("M a.ts\n");
    expect(terminal.screen).toContain(String.raw`odd\xff\nname`);
  });

  test("diff in a pipe is a patch that git applies, byte for byte", async () => {
    const { repository, shell } = await open();
    const head = repository.git("rev-parse", "HEAD");
    change(repository);
    const expected = repository.raw("-c", "core.quotePath=off", "diff", "HEAD");
    repository.git("add", "--all");
    const patch = await shell.run("yonder git diff --base HEAD");
    expect(patch).toMatchObject({ code: 0, stderr: "" });
    for (const piece of expected.toString("latin1").split(/^(?=diff --git)/m)) {
      expect(patch.bytes.toString("latin1")).toContain(piece);
    }
    const tree = repository.git("write-tree");
    repository.git("reset", "--quiet", "--hard", head);
    execFileSync("git", ["apply", "--index", "-"], { cwd: repository.path, input: patch.bytes, stdio: "pipe" });
    expect(repository.git("write-tree")).toBe(tree);
  });

  test("diff on a terminal has git's own colours, and goes by the pager", async () => {
    const { repository, shell } = await open();
    change(repository);
    const expected = repository.raw("diff", "--color=always", "HEAD", "--", "src").toString();
    const [always, paged, quit, plain] = await Promise.all([
      shell.run("yonder git diff --color always --base HEAD src"),
      shell.onTerminal("yonder git diff --base HEAD src/a.ts", { environment: { GIT_PAGER: "sed s/^/paged:/" } }),
      shell.onTerminal("yonder git diff; echo code $?", { environment: { PAGER: "head -n1" } }),
      shell.onTerminal("yonder git diff -P --base HEAD src", { environment: { NO_COLOR: "1" } }),
    ]);
    expect(always.stdout).toBe(expected);
    const lines = expected.trimEnd().split("\n");
    expect(paged.screen.trimEnd().split("\r\n")).toEqual(lines.map((line) => `paged:${line}`));
    expect(quit.screen).toMatch(/diff --git.*\r\ncode \d+\r\n$/);
    expect(plain.screen.replaceAll("\r\n", "\n")).toBe(repository.raw("diff", "HEAD", "--", "src").toString());
  });

  test("diff takes files, commits, context and JSON", async () => {
    const { repository, shell } = await open();
    change(repository);
    const [json, names, none, narrow] = await Promise.all([
      shell.run("yonder git diff --json src/a.ts gone"),
      shell.run("yonder git diff --name-only --base HEAD"),
      shell.run("yonder git diff --exit-code -c HEAD src"),
      shell.run("yonder git diff -U0 --base HEAD src"),
    ]);
    expect(jsonLines(json.stdout)).toMatchObject([
      { status: "UPDATED", path: "src/a.ts", binary: false, originalSize: 14, hunks: [{ originalStart: 1 }] },
      { status: "DELETED", path: "gone", modifiedSize: null },
    ]);
    expect(names.bytes.toString("latin1")).toContain("moved");
    expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining("+three") as string });
    expect(narrow.stdout).toContain("@@ -2 +2 @@");
  });

  test("status and log read as git's own, and as JSON", async () => {
    const { repository, shell } = await open();
    change(repository);
    const [status, json, log, oneline, logJson, terminal] = await Promise.all([
      shell.run("yonder git status"),
      shell.run("yonder git status --json src"),
      shell.run("yonder git log"),
      shell.run("yonder git log --oneline HEAD src"),
      shell.run("yonder git log --json -n 1"),
      shell.onTerminal("yonder git log", { environment: { PAGER: "cat" } }),
    ]);
    expect(status.bytes.toString("latin1")).toMatch(/^## main\n(.*\n)*D {2}gone\n(.*\n)*\?\? new\n/);
    expect(jsonLines(json.stdout)).toMatchObject([{ branch: "main", topLevel: repository.path }]);
    expect(log.stdout).toBe(`${repository.git("log", "--no-color")}\n`);
    expect(oneline.stdout).toBe(`${repository.git("log", "--oneline")}\n`);
    expect(jsonLines(logJson.stdout)).toMatchObject([{ subject: "Begin", author: "Test", parents: [] }]);
    expect(terminal.screen).toContain("\u001b[33mcommit ");
  });
});

describe("a day's work", () => {
  test("checkout, commit and branch", async () => {
    const { repository, shell } = await open();
    repository.write("src/b.ts", "b\n");
    repository.write("later", "later\n");
    const result = await shell.run(
      "set -e; yonder git checkout -b fix; yonder git commit -m 'Say why' -m 'And more' --author 'Ann <ann@example.com>' src/b.ts; " +
        "yonder git branch -v; yonder git commit -a -F - --json < /dev/null || echo refused; " +
        "echo 'From a file' > message; yonder git commit -a -F message; rm message; " +
        "yonder git checkout main --json; yonder git checkout -C src -p a.ts HEAD",
    );
    expect(result.stderr).toMatch(/^yonder: .*\n$/);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(
      /^HEAD is on fix, at [0-9a-f]{7}\n[0-9a-f]{7} Say why\n\* fix {2}[0-9a-f]{7} Say why\n {2}main /,
    );
    expect(result.stdout).toContain('"branch":"main"');
    expect(repository.git("log", "--format=%s|%an|%b", "fix")).toMatch(
      /From a file\|Test\|\s*Say why\|Ann\|And more\s*Begin/,
    );
    const refusals = [
      "yonder git commit",
      "yonder git commit -m a -F b",
      "yonder git checkout",
      "yonder git commit -m x --author nobody",
      "yonder git pull --merge --rebase",
      "yonder git push -f --force-with-lease",
    ];
    for (const script of refusals) expect(await shell.run(script)).toMatchObject({ code: 2, stdout: "" });
    repository.write("untracked", "1\n");
    expect(await shell.run("yonder git commit -m Nothing")).toMatchObject({
      code: 255,
      stderr: "yonder: nothing is staged that differs from the last commit; name files, or give -a for all of them\n",
    });
  });

  test("clone, fetch, pull and push, with a token from a file and nowhere else", async () => {
    isolateGit();
    const origin = makeRepository();
    const root = join(origin.path, "..");
    origin.write("file", "1\n");
    origin.commit("First");
    execFileSync("git", ["clone", "--quiet", "--bare", origin.path, join(root, "bare.git")]);
    execFileSync("git", ["-C", join(root, "bare.git"), "config", "http.receivepack", "true"]);
    const token = "correct-horse-battery-staple";
    const host = await serveGitHttps({ root, user: "x-access-token", password: token });
    const server = await serve();
    const shell = await openShell(server.url);
    const url = `${host.origin}/bare.git`;
    writeFileSync(join(shell.directory, "token"), `${token}\n`, { mode: 0o600 });
    const environment = { YONDER_GIT_TOKEN_FILE: join(shell.directory, "token") };
    expect(await shell.run(`yonder git clone ${url} app`)).toMatchObject({ code: 255, stdout: "" });
    const cloned = await shell.run(`yonder git clone --token-file token --json ${url} app`);
    expect(cloned).toMatchObject({ code: 0, stderr: "" });
    expect(jsonLines(cloned.stdout)).toMatchObject([{ path: join(server.workingDirectory, "app"), branch: "main" }]);
    const app = openRepository(join(server.workingDirectory, "app"));
    app.write("file", "2\n");
    const pushed = await shell.run(
      "yonder git commit -C app -a -m Second && yonder git push -C app --json",
      environment,
    );
    expect(pushed.code).toBe(0);
    expect(execFileSync("git", ["-C", join(root, "bare.git"), "log", "--format=%s"]).toString()).toBe(
      "Second\nFirst\n",
    );
    origin.git("pull", "--quiet", join(root, "bare.git"), "main");
    origin.write("file", "3\n");
    origin.commit("Third");
    origin.git("push", "--quiet", join(root, "bare.git"), "main");
    const updated = await shell.run(
      "yonder git fetch -C app && yonder git status app && yonder git pull -C app && yonder git pull -C app && yonder git push -C app",
      environment,
    );
    expect(updated.stdout).toMatch(
      /^ {3}[0-9a-f]{7}\.\.[0-9a-f]{7} {3}refs\/remotes\/origin\/main\n## main\.\.\.origin\/main \[behind 1\]\n/,
    );
    expect(updated.stdout).toMatch(/was at [0-9a-f]{7}, is on main, at [0-9a-f]{7}\nalready up to date\n$/);
    expect(updated.stderr).toBe("everything is up to date\n");
    expect(readFileSync(join(app.path, "file"), "utf8")).toBe("3\n");
    expect(readFileSync(join(app.path, ".git/config"), "utf8")).not.toContain(token);
  });

  test("a secret in a URL is refused without telling it back, and one that others can read, too", async () => {
    const { shell } = await open();
    writeFileSync(join(shell.directory, "open"), "secret-token\n");
    chmodSync(join(shell.directory, "open"), 0o644);
    const scripts = [
      "yonder git clone https://user:secret-token@127.0.0.1/x",
      "yonder git clone https://secret-token@127.0.0.1/x",
      "yonder git push https://user:secret-token@127.0.0.1/x main",
      "yonder git clone --token-file open https://127.0.0.1:1/x",
    ];
    for (const script of scripts) {
      const { code, stderr } = await shell.run(script);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/^yonder: .*\n$/);
      expect(stderr).not.toContain("secret-token");
    }
  });

  test("the terminal is asked for a token that the remote wants, does not show it, and shows how far git is", async () => {
    isolateGit();
    const origin = makeRepository();
    for (let index = 0; index < 50; index++) origin.write(`${index}`, `${index}\n`);
    origin.commit("First");
    const token = "correct-horse-battery-staple";
    const host = await serveGitHttps({ root: join(origin.path, ".."), user: "x-access-token", password: token });
    const server = await serve();
    const shell = await openShell(server.url);
    let isTyped = false;
    const { screen, code } = await shell.onTerminal(`yonder git clone ${host.origin}/repository`, {
      onOutput: (shown, type) => {
        if (isTyped || !shown.includes("Password or token for ")) return;
        isTyped = true;
        type(`${token}\r`);
      },
    });
    expect(screen).not.toContain(token);
    expect([screen.match(/cloned into/g)?.length, code]).toEqual([1, 0]);
    expect(screen).toMatch(/objects.*100% /);
  });

  test("Ctrl-C under a clone ends it in the workspace, and leaves nothing there", async () => {
    isolateGit();
    const origin = makeRepository();
    origin.write("file", "1\n");
    origin.commit("First");
    const token = "correct-horse-battery-staple";
    const host = await serveGitHttps({ root: join(origin.path, ".."), user: "x-access-token", password: token });
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    host.hold = async () => {
      begun.resolve();
      await held.promise;
    };
    const server = await serve();
    const shell = await openShell(server.url);
    mkdirSync(join(server.workingDirectory, "there"));
    const { child, ended } = shell.start(`exec yonder git clone ${host.origin}/repository there/clone`, {
      YONDER_GIT_TOKEN: token,
    });
    await begun.promise;
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/interrupted/) as string });
    held.resolve();
    expect(await shell.run("yonder ls -a there")).toMatchObject({ code: 0, stdout: "" });
  });
});
