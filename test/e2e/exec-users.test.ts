import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { argv, execServer, refusal, shell } from "../helpers/exec-server.ts";
import type { Refusal } from "../helpers/exec-server.ts";
import { nobody } from "../helpers/nobody.ts";

const server = execServer();

describe.skipIf(nobody === undefined)("as another user is refused", () => {
  const asNobody = execServer(nobody === undefined ? {} : { uid: nobody });

  test("a directory that this user may not enter, by a server that may, and by one that may not", async () => {
    const closed = join(server.directory, "closed");
    await mkdir(closed, { mode: 0o700 });
    const request = { program: shell("pwd"), workingDirectory: closed };
    const refused: Refusal[] = [
      await refusal(server.exec.startExec({ exec: { ...request, user: String(nobody) } })),
      await refusal(asNobody.exec.startExec({ exec: { ...request, workingDirectory: join(closed, "below") } })),
    ];
    for (const { code, reason, subject, message } of refused) {
      expect({ code, reason }).toEqual({ code: "PERMISSION_DENIED", reason: "ACCESS_DENIED" });
      expect(subject).toContain(closed);
      expect(message).toContain(closed);
    }
    await rm(closed, { recursive: true });
  });

  test("a program that this user may not run", async () => {
    const program = join(server.directory, "only-mine");
    await chmod(server.directory, 0o755);
    await writeFile(program, "#!/bin/sh\necho ran\n", { mode: 0o700 });
    await chmod(program, 0o700);
    expect((await server.run({ program: argv(program) })).stdout).toBe("ran\n");
    const refused = await refusal(
      server.exec.startExec({ exec: { program: argv(program), user: String(nobody), workingDirectory: "/" } }),
    );
    expect(refused).toMatchObject({ subject: program });
    expect(["ACCESS_DENIED", "PROGRAM_NOT_EXECUTABLE"]).toContain(refused.reason);
  });

  test("every other user, by a server that may not switch; and its own is none", async () => {
    const start = (user: string) =>
      asNobody.exec.startExec({ exec: { execId: asNobody.newId(), program: shell("id -u"), user } });
    for (const user of ["root", "0", "0:0"]) {
      const refused = await refusal(start(user));
      expect(refused).toMatchObject({ code: "UNIMPLEMENTED", reason: "USER_UNSUPPORTED", subject: user });
      expect(refused.detail?.remedy).not.toBe("");
    }
    const { exec } = await start(String(nobody));
    expect(await asNobody.printed(exec?.execId ?? "", "\n")).toBe(`${nobody}\n`);
  });
});

test.skipIf(nobody === undefined)("a user is who the command runs as, by number and with another group", async () => {
  const request = { program: shell("id -u; id -g"), workingDirectory: "/" };
  expect((await server.run({ ...request, user: `${nobody}` })).stdout).toMatch(new RegExp(`^${nobody}\\n\\d+\\n$`));
  const { stdout, started } = await server.run({ ...request, user: `${nobody}:1` });
  expect(stdout).toBe(`${nobody}\n1\n`);
  expect((await server.ended(started?.execId ?? "")).user).toBe(`${nobody}:1`);
});
