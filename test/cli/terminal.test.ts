import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { ptyYonder } from "../helpers/pty.ts";
import { serve } from "../helpers/serve.ts";
import { connect } from "../helpers/workspaces.ts";

describe("a table", () => {
  async function withExecs() {
    const server = await serve();
    const workspace = await connect({ host: server.url });
    await workspace.executeCommand(`: ${"long ".repeat(40)}`, { execId: "long" });
    await workspace.executeCommand(": 日本語の名前 🙂 short", { execId: "wide" });
    return { YONDER_HOST: server.url };
  }

  test("fits the terminal's width, by what characters take", async () => {
    const environment = await withExecs();
    const yonder = ptyYonder(["ps"], { ...environment, NO_COLOR: "1" }, { columns: 60 });
    expect((await yonder.exited).exitCode).toBe(0);
    const [head, wide = "", long = ""] = yonder.printed().trimEnd().split("\r\n");
    expect(head).toMatch(/^ID +STATUS +PID +SIZE +LABELS +COMMAND$/);
    expect(long).toHaveLength(60);
    expect(long.endsWith("…")).toBe(true);
    expect(wide).toContain("日本");
  });

  test("has colours where they are wanted, and none for NO_COLOR and TERM=dumb", async () => {
    const environment = await withExecs();
    const [coloured, plain, dumb] = ["", "NO_COLOR", "TERM"].map((name) =>
      ptyYonder(["ps"], { ...environment, ...(name && { [name]: name === "TERM" ? "dumb" : "1" }) }),
    );
    await Promise.all([coloured?.exited, plain?.exited, dumb?.exited]);
    expect(coloured?.printed()).not.toBe(stripVTControlCharacters(coloured?.printed() ?? ""));
    expect(plain?.printed()).toBe(stripVTControlCharacters(plain?.printed() ?? ""));
    expect(dumb?.printed()).toBe(stripVTControlCharacters(dumb?.printed() ?? ""));
  });
});

describe("a key that is not known", () => {
  const key = "correct-horse-battery";

  test("is asked for on the terminal, unseen, and is in nobody's process list", async () => {
    const server = await serve({ env: { YONDER_SERVER_API_KEY: key } });
    const yonder = ptyYonder(["exec", "--", "echo", "let in"], {
      YONDER_HOST: server.url,
      XDG_CONFIG_HOME: "/nowhere",
    });
    await yonder.shows(`Key for ${server.url}: `);
    yonder.type(`wrong\u0015${key.slice(0, -1)}x\u007fy`);
    const [cmdline, environ] = ["cmdline", "environ"].map((file) =>
      readFileSync(`/proc/${yonder.pid}/${file}`, "utf8"),
    );
    yonder.type("\r");
    expect((await yonder.exited).exitCode).toBe(0);
    expect(yonder.printed()).toContain("let in");
    expect(yonder.printed()).not.toContain("correct");
    expect(cmdline + (environ ?? "")).not.toContain("correct");
  });

  test("Ctrl-C at the question ends the program", async () => {
    const server = await serve({ env: { YONDER_SERVER_API_KEY: key } });
    const yonder = ptyYonder(["ps"], { YONDER_HOST: server.url, XDG_CONFIG_HOME: "/nowhere" });
    await yonder.shows("Key for ");
    yonder.type("\u0003");
    expect((await yonder.exited).exitCode).toBe(130);
  });

  test("a wrong one is told, without it", async () => {
    const server = await serve({ env: { YONDER_SERVER_API_KEY: key } });
    const yonder = ptyYonder(["ps"], { YONDER_HOST: server.url, XDG_CONFIG_HOME: "/nowhere" });
    await yonder.shows("Key for ");
    yonder.type("not-the-key\r");
    expect((await yonder.exited).exitCode).toBe(255);
    expect(yonder.printed()).toMatch(/yonder: .*key/);
    expect(yonder.printed()).not.toContain("not-the-key");
  });
});

describe("exec on a terminal", () => {
  test("Ctrl-C reaches the command, and a second one leaves it", async () => {
    const server = await serve();
    const workspace = await connect({ host: server.url });
    const script = "trap 'echo caught' INT; echo up; while :; do sleep 0.05; done";
    const yonder = ptyYonder(["exec", "--id", "stubborn", "-c", script], { YONDER_HOST: server.url });
    await yonder.shows("up");
    yonder.type("\u0003");
    await yonder.shows("caught");
    yonder.type("\u0003");
    expect((await yonder.exited).exitCode).toBe(255);
    expect(yonder.printed()).toContain("yonder attach stubborn");
    const handle = await workspace.attach("stubborn");
    await handle.kill("SIGKILL");
    await handle.wait();
  });

  test("-t gives the command a terminal of this size and type, and Ctrl-C goes there as a key", async () => {
    const server = await serve();
    const script =
      "tty -s && stty size; echo $TERM; trap 'echo caught; exit 6' INT; echo up; while :; do sleep 0.05; done";
    const environment = { YONDER_HOST: server.url, TERM: "xterm" };
    const yonder = ptyYonder(["exec", "-t", "-c", script], environment, { columns: 91, rows: 33 });
    await yonder.shows("33 91\r\nxterm\r\nup");
    yonder.type("\u0003");
    expect((await yonder.exited).exitCode).toBe(6);
    expect(yonder.printed()).toContain("^Ccaught\r\n");
  });

  test("a shell wants a terminal, and says what to do without", async () => {
    const { runYonder } = await import("../helpers/yonder.ts");
    const yonder = runYonder(["shell"], { YONDER_HOST: "http://127.0.0.1:1" });
    expect(await yonder.exited).toBe(2);
    expect(yonder.stderr()).toContain("yonder exec sh");
  });
});
