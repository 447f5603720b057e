import { describe, expect, test } from "vitest";
import { textOf, untilPrinted } from "./spawn-suite.ts";
import type { Bench } from "./workspace-suite.ts";

/** Terminals, where the workspace has them. */
export function terminalSuite(bench: Bench): void {
  describe("a terminal", () => {
    const hasTerminals = async () => (await bench.workspace.getServerInfo()).features.includes("TERMINAL");

    test("is one to the command, of the size that was asked for", async ({ skip }) => {
      skip(!(await hasTerminals()), "no terminals here");
      const terminal = { columns: 100, rows: 30, type: "xterm" };
      const result = await bench.workspace.executeCommand("tty -s && echo yes; stty size; echo $TERM; echo err >&2", {
        terminal,
      });
      expect(result).toMatchObject({ exitCode: 0, stdout: "yes\r\n30 100\r\nxterm\r\nerr\r\n", stderr: "" });
    });

    test("takes input and a new size", async ({ skip }) => {
      skip(!(await hasTerminals()), "no terminals here");
      const script = "stty -echo; echo ready; read a; echo got $a; read b; stty size";
      const handle = await bench.workspace.spawn(script, { terminal: { columns: 80, rows: 24 } });
      await untilPrinted(handle.events(), 7);
      await handle.stdin.write("this\n");
      expect(await handle.resize(120, 40)).toEqual({ columns: 120, rows: 40, applied: true });
      await handle.stdin.write("\n");
      await handle.wait();
      expect((await handle.output()).text).toBe("ready\r\ngot this\r\n40 120\r\n");
    });

    test("is painted for whoever attaches to it", async ({ skip }) => {
      skip(!(await hasTerminals()), "no terminals here");
      const script = "printf 'old\\033[2J\\033[?25l\\033[Hnew screen'; read line; echo bye";
      const handle = await bench.workspace.spawn(script, { terminal: {} });
      await untilPrinted(handle.events(), 10);
      const again = await bench.workspace.attach(handle.execId);
      for await (const event of again.events()) {
        if (event.type !== "screen") continue;
        expect(event).toMatchObject({ columns: 80, rows: 24 });
        expect(event.text).toContain("new screen");
        expect(event.text).not.toContain("old");
        // The cursor stays hidden.
        expect(event.text).toContain("\u001b[?25l");
        break;
      }
      const raw = textOf(again.events({ cursor: 0 }));
      await raw.started;
      await handle.stdin.write("\n");
      expect(await raw.text).toMatch(/^old[^]*new screen[^]*bye\r\n$/);
    });
  });
}
