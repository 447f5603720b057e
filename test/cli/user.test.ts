import { chownSync, statSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nobody } from "../helpers/nobody.ts";
import { serve } from "../helpers/serve.ts";
import { openShell } from "../helpers/shell.ts";

describe.skipIf(nobody === undefined)("with --user", () => {
  const uid = nobody ?? 0;

  test(
    "files and repositories are that user's, and what the user may not is refused",
    { timeout: 120_000 },
    async () => {
      const { workingDirectory: there, url } = await serve();
      chownSync(there, uid, uid);
      writeFileSync(join(there, "secret"), "of root", { mode: 0o600 });
      const shell = await openShell(url);
      const as = `--user ${uid}`;
      const script = [
        "set -e",
        "mkdir -p tree/below && echo text >tree/below/file",
        `yonder cp ${as} tree :tree`,
        `yonder cp ${as} - :piped <tree/below/file`,
        `yonder mkdir ${as} -p made/deeply`,
        `yonder mv ${as} piped made/moved`,
        `yonder ls ${as} -R`,
        `yonder cat ${as} tree/below/file`,
        `yonder exec ${as} git init -q -b main repo`,
        `yonder cp ${as} tree/below/file :repo/file`,
        `yonder git commit ${as} -C repo -a -m first --author 'Dev <dev@example.com>' >/dev/null`,
      ];
      const done = await shell.run(script.join("\n"));
      expect(done).toMatchObject({ code: 0, stderr: "" });
      expect(done.stdout).toContain("made/moved\n");
      expect(done.stdout).toMatch(/text\n$/);
      const log = await shell.run(`yonder git log ${as} -C repo --json `);
      expect(JSON.parse(log.stdout)).toMatchObject({ author: "Dev", subject: "first" });
      for (const name of await readdir(there, { recursive: true })) {
        if (name !== "secret") expect({ [name]: statSync(join(there, name)).uid }).toEqual({ [name]: uid });
      }
      const [secret, nobodys, gone] = await Promise.all([
        shell.run(`yonder cat ${as} secret`),
        shell.run("yonder ls --user no-such-one"),
        shell.run(`yonder rm ${as} -r tree && yonder ls ${as} tree`),
      ]);
      expect(secret).toMatchObject({ code: 255, stdout: "" });
      expect(secret.stderr).toMatch(/^yonder: .*ermission denied.*secret.*\n$/);
      expect(nobodys.stderr).toMatch(/^yonder: there is no user "no-such-one".*\n/);
      expect(gone.code).toBe(255);
    },
  );
});
