import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveUser } from "../../../../server/src/exec/process/user.ts";
import { useLauncher } from "../../../fixtures/processes/launching.ts";

const isRoot = process.geteuid?.() === 0;

describe("a user", () => {
  let directory: string;
  let files: { passwd: string; group: string };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "yonder-accounts-"));
    files = { passwd: join(directory, "passwd"), group: join(directory, "group") };
    writeFileSync(
      files.passwd,
      "root:x:0:0:root:/root:/bin/bash\nann:x:1001:100:Ann,,,:/home/ann:/bin/zsh\n1002:x:7:7::/seven:\n",
    );
    writeFileSync(files.group, "root:x:0:\nusers:x:100:ann\ndocker:x:999:bob,ann\nwheel:x:10:ann\nstaff:x:50:bob\n");
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it("is known by name, with home, shell and further groups", () => {
    const ann = {
      uid: 1001,
      gid: 100,
      groupNamed: false,
      groups: [999, 10],
      name: "ann",
      home: "/home/ann",
      shell: "/bin/zsh",
    };
    expect(resolveUser("ann", files)).toEqual(ann);
    expect(resolveUser("1001", files)).toEqual(ann);
  });

  it("has the one group that is named", () => {
    expect(resolveUser("ann:staff", files)).toMatchObject({ uid: 1001, gid: 50, groups: [], groupNamed: true });
    expect(resolveUser("ann:4000", files)).toMatchObject({ uid: 1001, gid: 4000, groups: [] });
  });

  it("needs no account where it is a number", () => {
    expect(resolveUser("4321", files)).toMatchObject({
      uid: 4321,
      gid: 4321,
      name: "4321",
      home: "/",
      shell: "/bin/sh",
    });
    expect(resolveUser("4321:8765", files)).toMatchObject({ uid: 4321, gid: 8765 });
    expect(resolveUser("1", { passwd: "/nonexistent", group: "/nonexistent" })).toMatchObject({ uid: 1, gid: 1 });
  });

  it("is a name first, also where it looks like a number", () => {
    expect(resolveUser("1002", files)).toMatchObject({ uid: 7, gid: 7, home: "/seven", shell: "/bin/sh" });
  });

  it.each(["nobody-here", "ann:nothing", "4294967295", "-1", "99999999999"])("%s is not found", (user) => {
    expect(() => resolveUser(user, files)).toThrow(
      expect.objectContaining({ name: "NotFound", reason: "USER_NOT_FOUND" }) as Error,
    );
  });

  it.each(["", ":1", "ann:", "a:b:c"])("%j is no user", (user) => {
    expect(() => resolveUser(user, files)).toThrow(expect.objectContaining({ name: "InvalidRequest" }) as Error);
  });
});

describe.runIf(isRoot)("a command as another user", () => {
  const launching = useLauncher();
  const { run } = launching;
  const root = Buffer.from("/");

  it("has that user's ids, groups and variables", async () => {
    const line = 'id -u; id -g; id -G; echo "$HOME $USER $LOGNAME $SHELL"; grep ^CapEff /proc/self/status';
    const { stdout } = await run(line, { user: "daemon", workingDirectory: root });
    const [uid, gid, groups, account, capabilities] = stdout.split("\n");
    const daemon = resolveUser("daemon");
    expect([uid, gid]).toEqual([String(daemon.uid), String(daemon.gid)]);
    expect(groups?.split(" ").toSorted()).toEqual([daemon.gid, ...daemon.groups].map(String).toSorted());
    expect(account).toBe(`${daemon.home} daemon daemon ${daemon.shell}`);
    expect(capabilities).toMatch(/0{16}$/);
  });

  it("is run by its own arguments, and may be a number", async () => {
    expect((await run({ args: ["id", "-u"] }, { user: "12345:54321", workingDirectory: root })).stdout).toBe("12345\n");
    expect((await run({ args: ["id", "-G"] }, { user: "12345:54321", workingDirectory: root })).stdout).toBe("54321\n");
  });

  it("keeps the variables that the request sets", async () => {
    const environment = { variables: { HOME: "/elsewhere" }, clean: false, unset: ["SHELL"] };
    const { stdout } = await run("env", { user: "daemon", workingDirectory: root, environment });
    expect(stdout).toContain("\nHOME=/elsewhere\n");
    expect(stdout).not.toContain("\nSHELL=");
  });

  it("has limits and a long shell line as any other", async () => {
    const line = `: ${"x".repeat(150_000)}; id -u; ulimit -n`;
    expect((await run(line, { user: "12345", workingDirectory: root, limits: { openFiles: 77 } })).stdout).toBe(
      "12345\n77\n",
    );
  });

  it("ends as a tree", async () => {
    const { process, printed } = await launching.launch("setsid sleep 300 & sleep 300 & echo up; wait", {
      user: "12345",
      workingDirectory: root,
    });
    await printed("up");
    await process.endTree(50);
    await process.exited;
  });

  it("is refused a directory and a program that the user may not enter or run", async () => {
    const shut = join(launching.directory, "shut");
    mkdirSync(shut);
    chmodSync(shut, 0o700);
    await expect(run("true", { user: "12345", workingDirectory: Buffer.from(shut) })).rejects.toMatchObject({
      name: "PermissionDenied",
      reason: "ACCESS_DENIED",
      context: { subject: shut },
    });
    const program = join(launching.directory, "mine");
    writeFileSync(program, "#!/bin/sh\n");
    chmodSync(program, 0o700);
    await expect(run({ args: [program] }, { user: "12345", workingDirectory: root })).rejects.toMatchObject({
      reason: "ACCESS_DENIED",
    });
  });

  it("needs no switch where it is the server's own", async () => {
    expect((await run("id -u; echo $HOME", { user: "root" })).stdout).toBe(`0\n${process.env["HOME"] ?? ""}\n`);
    expect((await run("id -u", { user: "0:0" })).stdout).toBe("0\n");
  });
});

describe.runIf(!isRoot)("a command as another user, without being root", () => {
  const launching = useLauncher();

  it("is refused", async () => {
    await expect(launching.run("true", { user: "12345" })).rejects.toMatchObject({
      name: "Unsupported",
      reason: "USER_UNSUPPORTED",
      context: { subject: "12345" },
    });
  });
});
