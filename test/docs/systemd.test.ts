import { expect, test } from "vitest";
import { blocks } from "./pages.ts";
import { Sandbox, sandboxHindrance } from "./sandbox.ts";

const units = blocks.filter(({ language }) => language === "systemd");

test.skipIf(sandboxHindrance() !== undefined).each(units)(
  "systemd takes the unit in $page, line $line",
  async ({ text }) => {
    const sandbox = await Sandbox.open();
    try {
      const { stdout, stderr } = await sandbox.run(`
      install -m 755 /bin/true /usr/local/bin/yonder
      cat >/run/yonder.service <<'END'\n${text}\nEND
      systemd-analyze verify --man=no /run/yonder.service`);
      // Other units of the machine may be wrong; they are none of ours.
      expect(`${stdout}${stderr}`.split("\n").filter((line) => line.includes("yonder.service"))).toEqual([]);
    } finally {
      await sandbox.close();
    }
  },
);
