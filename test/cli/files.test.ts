import { mkdirSync, readFileSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serve } from "../helpers/serve.ts";
import { openShell } from "../helpers/shell.ts";
import type { Shell } from "../helpers/shell.ts";
import { until } from "../helpers/until.ts";

const oddName = Buffer.from("odd\xffname", "latin1");

async function open(): Promise<{ there: string; shell: Shell }> {
  const server = await serve();
  return { there: server.workingDirectory, shell: await openShell(server.url) };
}

function jsonLines(text: string): unknown[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

test("ls lists a directory sorted, hidden names only when asked, a tree, a file, and several of them", async () => {
  const { there, shell } = await open();
  mkdirSync(join(there, "dir/deep"), { recursive: true });
  for (const name of ["b", "a", ".hidden", "dir/deep/file"]) writeFileSync(join(there, name), "12345");
  symlinkSync("a", join(there, "link"));
  utimesSync(join(there, "a"), 1_600_000_000, 1_600_000_000);
  const [plain, all, tree, depth, long, several, json] = await Promise.all([
    shell.run("yonder ls"),
    shell.run("yonder ls -a"),
    shell.run("yonder ls -R"),
    shell.run("yonder ls --depth 2 dir"),
    shell.run("TZ=UTC yonder ls -l a link"),
    shell.run("yonder ls dir missing b"),
    shell.run("yonder ls --json a"),
  ]);
  expect(plain.stdout).toBe("a\nb\ndir\nlink\n");
  expect(all.stdout).toBe(".hidden\na\nb\ndir\nlink\n");
  expect(tree.stdout).toBe("a\nb\ndir\ndir/deep\ndir/deep/file\nlink\n");
  expect(depth.stdout).toBe("deep\ndeep/file\n");
  expect(long.stdout).toMatch(/^-rw-r--r-- 1 \d+ \d+ 5 2020-09-13 12:26 a\nlrwxrwxrwx .* link -> a\n$/);
  expect(several).toMatchObject({ code: 255, stdout: "dir:\ndeep\nb\n" });
  expect(several.stderr).toMatch(/^yonder: .*missing.*\n$/);
  expect(jsonLines(json.stdout)).toEqual([
    {
      path: "a",
      kind: "REGULAR",
      size: 5,
      mode: 0o644,
      mtime: "2020-09-13T12:26:40.000Z",
      uid: expect.any(Number) as number,
      gid: expect.any(Number) as number,
      nlink: 1,
      etag: expect.any(String) as string,
    },
  ]);
});

test("names that are no text are whole in a pipe, marked in JSON, and escaped on a terminal", async () => {
  const { there, shell } = await open();
  writeFileSync(Buffer.concat([Buffer.from(`${there}/`), oddName]), "");
  writeFileSync(join(there, "new\nline\u001b[31m"), "");
  const [pipe, json, terminal] = await Promise.all([
    shell.run("yonder ls"),
    shell.run("yonder ls --json"),
    shell.onTerminal("yonder ls -l"),
  ]);
  expect(pipe.bytes.equals(Buffer.from("new\nline\u001b[31m\nodd\xffname\n", "latin1"))).toBe(true);
  expect(jsonLines(json.stdout)).toMatchObject([
    { path: "new\nline\u001b[31m" },
    { path: "odd\ufffdname", pathBase64: oddName.toString("base64") },
  ]);
  expect(terminal.screen).toContain(String.raw`new\nline\e[31m`);
  expect(terminal.screen).toContain(String.raw`odd\xffname`);
});

test("on a terminal ls has columns that fit it, and colours unless NO_COLOR says otherwise", async () => {
  const { there, shell } = await open();
  for (let index = 10; index < 40; index++) writeFileSync(join(there, `file-${index}`), "");
  mkdirSync(join(there, "directory"));
  const [wide, narrow, plain] = await Promise.all([
    shell.onTerminal("yonder ls", { columns: 200 }),
    shell.onTerminal("yonder ls", { columns: 40 }),
    shell.onTerminal("yonder ls", { environment: { NO_COLOR: "1" } }),
  ]);
  // oxlint-disable-next-line no-control-regex
  expect(wide.screen).toMatch(/\u001b\[\d+m.*directory.*\/ +file-11 .*\r\nfile-10 /);
  expect(plain.screen).not.toContain("\u001b[");
  expect(narrow.screen.trimEnd().split("\r\n").length).toBeGreaterThan(wide.screen.trimEnd().split("\r\n").length);
  // oxlint-disable-next-line no-control-regex
  for (const line of narrow.screen.replace(/\u001b\[\d*m/g, "").split("\r\n")) expect(line.length).toBeLessThan(40);
});

test("cat prints several files byte for byte, or a range, and leaves no error where its reader leaves", async () => {
  const { there, shell } = await open();
  const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 256));
  writeFileSync(join(there, "one"), bytes);
  writeFileSync(Buffer.concat([Buffer.from(`${there}/`), oddName]), "two");
  const [both, range, head, missing] = await Promise.all([
    shell.run(`yonder cat one $'odd\\xffname'`),
    shell.run("yonder cat --offset 64KiB --length 3 one"),
    shell.run("yonder cat one | head -c1 | od -An -c; echo ${PIPESTATUS[0]}"),
    shell.run("yonder cat missing one | wc -c"),
  ]);
  expect(both.bytes.equals(Buffer.concat([bytes, Buffer.from("two")]))).toBe(true);
  expect([...range.bytes]).toEqual([0, 1, 2]);
  expect(head).toMatchObject({ stdout: expect.stringMatching(/\\0\n141\n/) as string, stderr: "" });
  expect(missing.stdout.trim()).toBe("1000000");
  expect(missing.stderr).toMatch(/^yonder: .*missing/);
});

test("mkdir, mv and rm do what their names say, and refuse what nobody means", async () => {
  const { there, shell } = await open();
  const made = await shell.run(
    "set -e; yonder mkdir -p -m 700 a/b; yonder mkdir -p a/b; echo x | yonder cp - :a/x; yonder mv a/x a/b a/c/; " +
      "yonder ls -R a; yonder mv a/c/x $'a/\\xff'; yonder mv a/c d",
  );
  expect(made).toMatchObject({ code: 0, stderr: "", stdout: "c\nc/b\nc/x\n" });
  expect(readdirSync(join(there, "a"), { encoding: "latin1" })).toEqual(["\xff"]);
  writeFileSync(join(there, "kept"), "kept");
  const [exists, taken, full, root, missing, forced] = await Promise.all([
    shell.run("yonder mkdir a"),
    shell.run("yonder mv -n $'a/\\xff' kept"),
    shell.run("yonder rm d"),
    shell.run("yonder rm -rf ./ /"),
    shell.run("yonder rm missing"),
    shell.run("yonder rm -f missing"),
  ]);
  expect([exists.code, taken.code, full.code, root.code, missing.code, forced.code]).toEqual([
    255, 255, 255, 2, 255, 0,
  ]);
  expect(full.stderr).toContain("-r");
  expect(readFileSync(join(there, "kept"), "utf8")).toBe("kept");
  const removed = await shell.run("yonder rm -r d a && yonder ls");
  expect(removed).toMatchObject({ code: 0, stdout: "kept\n" });
});

test("watch tells each change as a line or an object, leaves out what is excluded, and ends after one if asked", async () => {
  const { there, shell } = await open();
  mkdirSync(join(there, "sub"));
  const json = shell.start("exec yonder watch -r -x '*.log' --json");
  let text = "";
  json.child.stdout?.on("data", (piece: Buffer) => (text += piece.toString()));
  const once = shell.start("exec yonder watch --once --json sub");
  let onceText = "";
  once.child.stdout?.on("data", (piece: Buffer) => (onceText += piece.toString()));
  await until(() => text.includes("ready") && onceText.includes("ready"));
  writeFileSync(join(there, "sub/ignored.log"), "");
  writeFileSync(Buffer.concat([Buffer.from(`${there}/sub/`), oddName]), "");
  await until(() => text.includes("pathBase64"));
  expect(text).not.toContain("ignored.log");
  expect(jsonLines(text)).toContainEqual({
    type: "created",
    path: "sub/odd\ufffdname",
    pathBase64: Buffer.concat([Buffer.from("sub/"), oddName]).toString("base64"),
    kind: "REGULAR",
  });
  expect(await once.ended).toMatchObject({ code: 0 });
  expect(jsonLines(onceText)).toHaveLength(2);
  json.child.kill("SIGINT");
  await json.ended;
});

test("search finds lines and files, tells in its exit code whether it did, and marks matches on a terminal", async () => {
  const { there, shell } = await open();
  mkdirSync(join(there, "src"));
  writeFileSync(join(there, "src/a.ts"), "one\n\tneedle here\u001b\n");
  writeFileSync(join(there, "src/b.js"), "Needle\n");
  writeFileSync(join(there, ".hidden"), "needle\n");
  const [lines, names, none, json, regex, terminal, cut] = await Promise.all([
    shell.run("yonder search needle src"),
    shell.run("yonder search -g '*.ts'"),
    shell.run("yonder search nothing-of-it"),
    shell.run("yonder search -i needle --json -g '*.js'"),
    shell.run("yonder search -e 'n.edle' -l"),
    shell.onTerminal("yonder search needle"),
    shell.run("yonder search -i -m 1 --hidden needle"),
  ]);
  expect(lines).toMatchObject({ code: 0, stdout: "src/a.ts:2:\tneedle here\u001b\n" });
  expect(names).toMatchObject({ code: 0, stdout: "src/a.ts\n" });
  expect(none).toMatchObject({ code: 1, stdout: "", stderr: "" });
  expect(jsonLines(json.stdout)).toEqual([
    {
      path: "src/b.js",
      kind: "REGULAR",
      lineNumber: 1,
      line: "Needle",
      lineTruncated: false,
      spans: [{ begin: 0, end: 6 }],
    },
  ]);
  expect(regex).toMatchObject({ code: 0, stdout: "src/a.ts\n" });
  expect(terminal.screen).toContain(String.raw`needle`);
  expect(terminal.screen).toContain(String.raw` here\e`);
  expect(cut.stderr).toContain("--max-matches");
});
