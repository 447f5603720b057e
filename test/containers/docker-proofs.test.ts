import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import { hasDocker, leavesNothingBehind, startDocker, testImage } from "../helpers/docker-workspaces.ts";
import { shell, works } from "../helpers/engines/shell.ts";
import { nodeArguments } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";

describe.skipIf(!hasDocker)("in a DockerWorkspace", () => {
  leavesNothingBehind();

  test("a command that eats memory ends as out of memory with its output, and all else goes on", async () => {
    const workspace = await startDocker({ memory: "512m" });
    const other = await workspace.spawn("while :; do echo tick; sleep 0.1; done");
    const { instanceId } = await workspace.getServerInfo();
    // Far over the container's limit, and bounded where there should be none.
    const eater =
      "const all = []; console.log('eating'); for (let i = 0; i < 100; i++) all.push(Buffer.alloc(20 << 20, i));";
    const result = await workspace.executeCommand(["node", "--eval", eater], { timeoutMs: 60_000 });
    expect(result).toMatchObject({ reason: "OUT_OF_MEMORY", stdout: "eating\n", exitCode: -9 });
    expect((await workspace.getServerInfo()).instanceId).toBe(instanceId);
    expect((await workspace.execs({ state: "running" })).map(({ execId }) => execId)).toEqual([other.execId]);
    await other.kill();
    expect((await other.wait()).reason).toBe("KILLED");
  });

  test.skipIf(process.getuid?.() !== 0)("another user's repository is read by one whom nobody knows", async () => {
    const repository = await mkdtemp(join(tmpdir(), "yonder-foreign-"));
    onTestFinished(async () => await rm(repository, { recursive: true, force: true }));
    const script =
      "git init -q . && echo a > 'a b.txt' && git add . && git -c user.name=a -c user.email=a@b commit -qm one && " +
      "echo b > 'a b.txt' && chown -R 4242:4242 . && chmod -R go+rX .";
    await shell("sh", ["-c", script], { cwd: repository });
    const workspace = await startDocker({
      user: "54321",
      capDrop: ["ALL"],
      readOnly: true,
      volumes: [`${repository}:/workspace/repo`],
    });
    expect((await workspace.executeCommand("id -u; stat -c %u repo")).stdout).toBe("54321\n4242\n");
    expect(await workspace.gitChanges("repo")).toEqual([
      expect.objectContaining({ status: "UPDATED", path: "a b.txt" }),
    ]);
    expect(await workspace.gitDiff("repo/a b.txt")).toMatchObject({ original: "a\n", modified: "b\n" });
    expect((await workspace.fileDownload("repo/a b.txt")).data?.toString()).toBe("b\n");
    const terminal = await workspace.spawn("tty; id -u", { terminal: { columns: 80, rows: 24 } });
    await terminal.wait();
    expect((await terminal.output()).text).toMatch(/^\/dev\/pts\/\d+\r\n54321\r\n$/);
  });

  test("what two forks leave to process 1 is reaped, and exit codes stay right", async () => {
    const workspace = await startDocker();
    const { stdout } = await workspace.executeCommand(
      "sh -c '(sleep 0.3; exit 9) >/dev/null 2>&1 & echo $!'; exit 3",
      {},
    );
    const pid = stdout.trim();
    await until(async () => (await workspace.executeCommand(`test -e /proc/${pid}`)).exitCode === 1);
    const codes = await Promise.all(
      [0, 1, 7, 127, 200].map((code) => workspace.executeCommand(`sleep 0.1 & exit ${code}`)),
    );
    expect(codes.map(({ exitCode }) => exitCode)).toEqual([0, 1, 7, 127, 200]);
    // One may be about to be waited for; none stays.
    const zombies = async () => (await workspace.executeCommand("grep -l '^State:.Z' /proc/[0-9]*/status")).stdout;
    await until(async () => (await zombies()) === "");
  });

  test("the containers of a client that crashed are found and swept, and no others", async () => {
    const orphans = { labels: { test: "orphans" } };
    const lives = await startDocker(orphans);
    const crashed = await startElsewhere({ ...orphans, network: "none" });
    const kept = await startElsewhere({ ...orphans, keepAlive: true });
    const adopted = await startElsewhere(orphans);
    expect(await DockerWorkspace.listOrphans(orphans)).toEqual([]);
    for (const { kill } of [crashed, kept, adopted]) await kill();
    await using again = await DockerWorkspace.reattach({ name: adopted.id, onClose: "remove" });
    expect((await again.executeCommand("echo mine")).stdout).toBe("mine\n");
    const ids = (found: { id: string }[]) => found.map(({ id }) => id);
    expect(ids(await DockerWorkspace.listOrphans(orphans))).toEqual([crashed.id]);
    expect(ids(await DockerWorkspace.sweep(orphans))).toEqual([crashed.id]);
    expect(await works("docker", ["inspect", crashed.id])).toBe(false);
    for (const workspace of [lives, again]) expect(await workspace.alive()).toBe(true);
    await (await DockerWorkspace.reattach({ name: kept.id, onClose: "remove" })).close();
  });
});

/** A workspace of another process. */
async function startElsewhere(options: object): Promise<{ id: string; kill: () => Promise<void> }> {
  const program = fileURLToPath(new URL("../fixtures/start-docker.ts", import.meta.url));
  const child = spawn(process.execPath, [...nodeArguments, program, testImage, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const id = line.trim();
  onTestFinished(async () => void (await works("docker", ["rm", "--force", "--volumes", id])));
  return { id, kill };
}
