import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verb as copyVerb } from "../../cli/src/verbs/cp.ts";
import { writeRandomFile } from "../helpers/random-file.ts";
import { peakMemoryOf, serve } from "../helpers/serve.ts";
import { openShell } from "../helpers/shell.ts";
import type { Shell } from "../helpers/shell.ts";
import { patient, tick } from "../helpers/time.ts";
import { describeTree } from "../helpers/trees.ts";
import { until } from "../helpers/until.ts";

interface Place {
  /** The workspace's directory, the shell's directory, and the shell. */
  readonly there: string;
  readonly here: string;
  readonly url: string;
  readonly shell: Shell;
}

async function open(): Promise<Place> {
  const server = await serve();
  const shell = await openShell(server.url);
  return { there: server.workingDirectory, here: shell.directory, url: server.url, shell };
}

/** A tree with all that is to be kept. */
function plantTree(path: string): void {
  mkdirSync(join(path, "sub/empty"), { recursive: true });
  writeFileSync(join(path, "a"), "a", { mode: 0o640 });
  writeFileSync(join(path, "sub/run"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from("odd\xffname", "latin1")]), "odd");
  writeFileSync(join(path, "sub/new\nline"), "line");
  symlinkSync("../a", join(path, "sub/link"));
  for (const name of ["a", "sub/run", "sub/empty", "sub"])
    utimesSync(join(path, name), 1_500_000_000.25, 1_500_000_000.25);
  chmodSync(path, 0o750);
  utimesSync(path, 1_400_000_000, 1_400_000_000);
}

test("a file goes up and down with its bytes, mode and time, and is not moved again while it is the same", async () => {
  const { there, here, shell } = await open();
  const data = await writeRandomFile(join(here, "file"), 300_000);
  chmodSync(join(here, "file"), 0o640);
  utimesSync(join(here, "file"), 1_500_000_000.123456, 1_500_000_000.123456);
  expect(await shell.run("yonder cp file :deep/er/file && yonder cp :deep/er/file back")).toEqual({
    code: 0,
    stdout: "",
    bytes: Buffer.alloc(0),
    stderr: "",
  });
  expect(readFileSync(join(here, "back")).equals(data)).toBe(true);
  const described = ["file", "back"].map((name) => describeTree(join(here, name))[0]);
  expect(described[1]).toBe(described[0]);
  const [up, down] = [join(there, "deep/er/file"), join(here, "back")];
  const inodes = () => [statSync(up).ino, statSync(down).ino];
  const before = inodes();
  await shell.run("yonder cp file :deep/er/ && yonder cp :deep/er/file back");
  expect(inodes()).toEqual(before);
  writeFileSync(join(here, "file"), "changed");
  await shell.run("yonder cp file :deep/er && yonder cp :deep/er/file back");
  expect([up, down].map((path) => readFileSync(path, "utf8"))).toEqual(["changed", "changed"]);
});

test("a tree goes up and down with names, modes, times, links and empty directories, and again moves nothing", async () => {
  const { there, here, shell } = await open();
  plantTree(join(here, "tree"));
  const first = await shell.run("yonder cp tree :copy && yonder cp :copy back");
  expect(first).toMatchObject({ code: 0, stdout: "", stderr: "" });
  const expected = describeTree(join(here, "tree"));
  expect(describeTree(join(there, "copy"))).toEqual(expected);
  expect(describeTree(join(here, "back"))).toEqual(expected);
  const before = statSync(join(there, "copy/a")).ino;
  await shell.run("echo new > tree/sub/new && yonder cp tree/. :copy && yonder cp :copy/. back");
  expect(statSync(join(there, "copy/a")).ino).toBe(before);
  expect(readFileSync(join(here, "back/sub/new"), "utf8")).toBe("new\n");
});

test("a tree goes into a directory that is there, becomes one that is not, and src/. is what is in it", async () => {
  const { there, here, shell } = await open();
  plantTree(join(here, "tree"));
  mkdirSync(join(there, "dir"));
  const result = await shell.run(
    "set -e; yonder cp tree :dir; yonder cp -r tree/ :fresh; yonder cp tree :slash/; yonder cp tree/. :dir/contents; " +
      "yonder cp :dir/tree .; yonder cp :fresh .; yonder cp :fresh/. contents; cd tree; yonder cp . :dot",
  );
  expect(result).toMatchObject({ code: 0, stderr: "" });
  for (const path of ["dir/tree", "fresh", "slash/tree", "dir/contents", "dot"]) {
    expect(statSync(join(there, path, "sub/run")).isFile()).toBe(true);
  }
  for (const path of ["fresh", "contents"]) expect(statSync(join(here, path, "sub/run")).isFile()).toBe(true);
});

test("gitignore and exclude leave out of trees what they name, both ways", async () => {
  const { there, here, shell } = await open();
  mkdirSync(join(here, "tree/.git"), { recursive: true });
  for (const name of [".gitignore", "kept", "skipped", "a.log"]) writeFileSync(join(here, "tree", name), "skipped\n");
  await shell.run(
    "yonder cp --gitignore -x '*.log' tree :up && yonder cp tree :all && yonder cp --gitignore :all down",
  );
  expect(readdirSync(join(there, "up")).toSorted()).toEqual([".gitignore", "kept"]);
  expect(readdirSync(join(here, "down")).toSorted()).toEqual([".gitignore", "a.log", "kept"]);
});

test("several sources go into a directory, one that fails stops none, and names in any bytes can be given", async () => {
  const { there, here, shell } = await open();
  for (const name of ["a", "b", "a:b"]) writeFileSync(join(here, name), name);
  const odd = await shell.run(String.raw`printf odd > $'\xfe'; yonder cp $'\xfe' a missing ./a:b :new/; yonder ls new`);
  expect(odd.bytes.equals(Buffer.from("a\na:b\n\xfe\n", "latin1"))).toBe(true);
  expect(odd.stderr).toMatch(/^yonder: .*missing.*\n$/);
  const down = await shell.run(
    String.raw`mkdir to && yonder cp $':new/\xfe' :new/a to && yonder cp $':new/\xfe' $'to/\xfd'`,
  );
  expect(down).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(join(here, "to"), { encoding: "latin1" }).toSorted()).toEqual(["a", "\xfd", "\xfe"]);
  expect(readdirSync(there)).toEqual(["new"]);
});

test("standard input and output are files, whole, and a reader that leaves is no error of ours", async () => {
  const { there, here, shell } = await open();
  const data = await writeRandomFile(join(here, "file"), 5_000_000);
  const both = await shell.run("cat file | yonder cp - :piped && yonder cp :piped - | cmp - file && echo same");
  expect(both).toMatchObject({ code: 0, stdout: "same\n", stderr: "" });
  expect(readFileSync(join(there, "piped")).equals(data)).toBe(true);
  const head = await shell.run("yonder cp :piped - | head -c1 | wc -c; echo ${PIPESTATUS[0]}");
  expect(head).toMatchObject({ stdout: "1\n141\n", stderr: "" });
});

test("what is there is written to as it is: a pipe stays one, and of a link the file it leads to is replaced", async () => {
  const { there, here, shell } = await open();
  await writeRandomFile(join(there, "file"), 3_000_000);
  const result = await shell.run(
    "mkfifo pipe && echo old > old && ln -s old link && (cat pipe | wc -c > count & " +
      "yonder cp :file pipe && yonder cp :file link && yonder cp -c <(echo from a pipe) :made; wait)",
  );
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(readFileSync(join(here, "count"), "utf8").trim()).toBe("3000000");
  expect(statSync(join(here, "pipe")).isFIFO()).toBe(true);
  expect(readlinkSync(join(here, "link"))).toBe("old");
  expect(statSync(join(here, "old")).size).toBe(3_000_000);
  expect(readFileSync(join(there, "made"), "utf8")).toBe("from a pipe\n");
  const left = await shell.run("head -c1 pipe > first & yonder cp :file pipe");
  expect(left).toMatchObject({ code: 255, stderr: "yonder: file: broken pipe\n" });
});

test("a reader that stands still costs no memory, and holds up no signal", async () => {
  const { there, shell } = await open();
  execFileSync("truncate", ["-s", "400M", join(there, "large")]);
  for (const script of ["yonder cat large", "yonder cp :large -"]) {
    const { child, ended } = shell.start(`exec ${script}`);
    child.stdout?.pause();
    await until(() => (child.stdout?.readableLength ?? 0) > 0);
    await expect.poll(() => peakMemoryOf(child.pid ?? 0), { ...patient, interval: 300 }).toBeLessThan(200 * 2 ** 20);
    await tick(500);
    expect(peakMemoryOf(child.pid ?? 0)).toBeLessThan(200 * 2 ** 20);
    child.kill("SIGINT");
    child.stdout?.resume();
    expect((await ended).code).toBe("SIGINT");
  }
});

test("no-clobber keeps what is there, and checksum finds what size and time hide", async () => {
  const { there, here, shell } = await open();
  mkdirSync(join(here, "tree"));
  mkdirSync(join(there, "tree"));
  for (const place of [here, there]) {
    for (const name of ["file", "tree/file"]) {
      writeFileSync(join(place, name), place === here ? "here!" : "there");
      utimesSync(join(place, name), 1_500_000_000, 1_500_000_000);
    }
  }
  const contents = () => ["file", "tree/file"].map((name) => readFileSync(join(there, name), "utf8"));
  await shell.run("yonder cp -n file : && yonder cp file tree :");
  expect(contents()).toEqual(["there", "there"]);
  await shell.run("touch file tree/file && yonder cp -n file tree : && yonder cp -n :file .");
  expect(contents()).toEqual(["there", "there"]);
  expect(readFileSync(join(here, "file"), "utf8")).toBe("here!");
  await shell.run("touch -d @1500000000 file tree/file && yonder cp --checksum file tree :");
  expect(contents()).toEqual(["here!", "here!"]);
});

test("a copy within the workspace moves no bytes through here; one between two is refused with the way out", async () => {
  const { there, here, shell } = await open();
  plantTree(join(there, "tree"));
  const within = await shell.run("yonder cp :tree :copy && yonder cp :tree :copy && yonder cp :tree/a :b");
  expect(within).toMatchObject({ code: 0, stderr: "" });
  expect(describeTree(join(there, "copy/tree"))).toEqual(describeTree(join(there, "tree")));
  const refusals: [string, RegExp][] = [
    ["yonder cp - :dir/", /the name of a file/],
    ["yonder cp :tree -", /is a directory/],
    ["yonder cp :tree/a :b nowhere", /several sources go into a directory/],
    ["yonder cp :missing .", /missing/],
    ["yonder cp --checksum :tree :c", /within one/],
  ];
  for (const [script, message] of refusals) {
    const { code, stderr } = await shell.run(script);
    expect([script, code === 0 ? "done" : "refused"]).toEqual([script, "refused"]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  }
  expect(readdirSync(here)).toEqual([]);
});

test.each([
  [["one:x", "two:x"], /yonder cp one:x - \| yonder cp - two:x/],
  [["a", "b"], /":path" is in the chosen one/],
  [["a"], /a source and a target/],
  [[":a", ":b", "-"], /takes one file/],
  [["-", "a", ":"], /a source by itself/],
  [["a", ""], /a path is empty/],
])("%j is refused before anything is asked", async (paths, message) => {
  // An address where nothing answers: who asked it would fail in another way.
  const connection = { host: "http://127.0.0.1:1" };
  await expect(copyVerb.run({ arguments: [paths] as never, options: {}, connection })).rejects.toThrow(message);
});

test("a path with a profile's name is in that profile's workspace, whatever else is chosen", async () => {
  const { there, url, shell } = await open();
  const config = join(shell.directory, "..", "config/yonder");
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, "config.json"), JSON.stringify({ profiles: { dev: { host: url, workingDir: "sub" } } }));
  mkdirSync(join(there, "sub"));
  const environment = { XDG_CONFIG_HOME: join(config, ".."), YONDER_HOST: "http://127.0.0.1:1" };
  const result = await shell.run("echo x > x && yonder cp x dev: && yonder cp dev:x y && cmp x y", environment);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(join(there, "sub"))).toEqual(["x"]);
});

test("on a terminal a bar shows share, rate and time; in a pipe and with --quiet there is nothing", async () => {
  const { here, shell } = await open();
  execFileSync("truncate", ["-s", "40M", join(here, "a very long name\u001b[31m of a file")]);
  const [wide, narrow, quiet] = [
    await shell.onTerminal("yonder cp a* :", { columns: 120 }),
    await shell.onTerminal(String.raw`yonder cp ":$(echo a*)" ./b`, { columns: 50 }),
    await shell.onTerminal("yonder cp -q a* :c"),
  ];
  expect(wide.code).toBe(0);
  expect(wide.screen).toContain(String.raw`a very long name\e[31m of a file [====`);
  expect(wide.screen).toMatch(/100% +40MiB +\S+iB\/s +\d+:\d\d/);
  expect(narrow.screen).toMatch(/100% +40MiB/);
  // oxlint-disable-next-line no-control-regex
  for (const line of narrow.screen.split(/\r|\u001b\[K/)) expect(line.trim().length).toBeLessThan(50);
  expect(quiet).toEqual({ screen: "", code: 0 });
  const tree = await shell.onTerminal("mkdir t && cp a* t && yonder cp t :t && yonder cp :t u");
  expect(tree.screen.match(/100% +40MiB[^\n\r]*\r\n/g)).toHaveLength(2);
});

test.skipIf(process.platform !== "linux")(
  "a copy to where no directory can be made, below /proc for example, ends and says so",
  { timeout: 30_000 },
  async () => {
    const { there, here, shell } = await open();
    plantTree(join(there, "tree"));
    const said = { code: 255, stderr: "yonder: no such file or directory: /proc/no\n" };
    const odd = '"/proc/no/$(printf "x\\377")"';
    for (const words of [":tree /proc/no/tree", `:tree ${odd}`, `:tree/a ${odd}`])
      expect(await shell.run(`yonder cp ${words}`)).toMatchObject(said);
    const copied = await shell.run("yonder cp :tree tree", { XDG_STATE_HOME: "/proc/no/state" });
    expect(copied).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^yonder: cannot remember .*\n$/) as string,
    });
    expect(describeTree(join(here, "tree"))).toEqual(describeTree(join(there, "tree")));
  },
);
