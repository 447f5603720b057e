import { describe, expect, onTestFinished, test } from "vitest";
import { skipUnless, tmuxProgram } from "../helpers/programs.ts";
import { startProxy } from "../helpers/proxy.ts";
import { serve } from "../helpers/serve.ts";
import { tmux } from "../helpers/tmux.ts";
import { connect } from "../helpers/workspaces.ts";

const isSkipped = skipUnless(tmuxProgram, "tmux", "install it to test terminals");

describe.skipIf(isSkipped)("on a terminal", { timeout: 120_000 }, () => {
  /** A terminal with `yonder shell --id there` in it, its prompt on an empty screen, behind a proxy. */
  async function opened() {
    const server = await serve();
    const proxy = await startProxy({ target: server.url });
    onTestFinished(() => proxy.close());
    const terminal = await tmux({ YONDER_HOST: proxy.url });
    const before = await terminal.settings();
    await terminal.enter("clear; yonder shell --id there -e SHELL=/bin/bash -e HOME=/nonexistent");
    await terminal.shows(/[$#]$/);
    await terminal.enter("PS1='there> '; clear");
    await terminal.shows(/^there>$/);
    const workspace = await connect({ host: server.url });
    const shell = await workspace.attach("there");
    const [program] = await terminal.processes("shell --id there");
    if (program === undefined) throw new Error("yonder does not run");
    return { server, proxy, terminal, before, shell, program };
  }

  test("keys go to the shell, its size follows, and this terminal is as before when it exits", async () => {
    const { terminal, before } = await opened();
    await terminal.enter("stty size; tty -s && echo a-''terminal");
    await terminal.shows(/^24 80\na-terminal\nthere>$/m);
    await terminal.resize(100, 30);
    await terminal.enter("clear; until [ \"$(stty size)\" = '30 100' ]; do sleep 0.05; done; echo wi''der");
    await terminal.shows("wider");
    // A line that is entered while bash still edits ends with a carriage return, which `cat` would never see as an end.
    await terminal.enter("echo read''y; cat");
    await terminal.shows(/^ready$/m);
    await terminal.enter("it runs");
    await terminal.shows("it runs\nit runs");
    await terminal.press("C-c");
    await terminal.shows(/\^C\nthere>$/);
    await terminal.enter("echo status-$?");
    await terminal.shows("status-130");
    await terminal.enter("exit 7");
    await terminal.shows(/^here>$/m);
    await terminal.enter("echo it-''was-$?");
    await terminal.shows("it-was-7");
    expect(await terminal.settings()).toBe(before);
  });

  test("Enter ~ . leaves the shell running; attach paints its screen, and its terminal goes on", async () => {
    const { terminal, before, shell } = await opened();
    await terminal.enter("echo pain''ted; variable=kept");
    await terminal.shows("painted");
    await terminal.press("Enter");
    await terminal.type("~.");
    await terminal.shows("`yonder attach there` comes back to it");
    await terminal.shows(/^here>$/m);
    await terminal.enter("echo code-$?");
    await terminal.shows("code-0");
    expect(await terminal.settings()).toBe(before);
    expect((await shell.info()).state).toBe("running");

    await terminal.enter("clear; yonder attach there");
    await terminal.shows(/^painted\nthere>/m);
    expect(await terminal.screen()).not.toContain("attach there");
    await terminal.enter("echo $variable-''alive");
    await terminal.shows("kept-alive");
    await terminal.enter("exit");
    await terminal.shows(/^here>$/m);
    expect(await terminal.settings()).toBe(before);
  });

  test("~~ types a ~, and a ~ that is not at a line's begin is one", async () => {
    const { terminal, shell } = await opened();
    await terminal.enter("~~.nothing");
    await terminal.shows("~.nothing: ");
    await terminal.enter("echo a~.b");
    await terminal.shows(/^a~\.b$/m);
    expect((await shell.info()).state).toBe("running");
  });

  test("a connection that breaks is had again; who waited sees the screen as it then stands", async () => {
    const { proxy, terminal, shell } = await opened();
    await terminal.enter(`printf '\\e[?1049h\\e[?25l\\e[2;3Hon the other screen'; read -r line; echo "got $line"`);
    await terminal.shows(/^ {2}on the other screen$/m);
    proxy.refuse();
    proxy.cut();
    await terminal.shows("yonder: no connection");
    await terminal.enter("typed meanwhile");
    proxy.refuse(false);
    await terminal.shows("got typed meanwhile");
    const screen = await terminal.screen();
    expect(screen).not.toContain("no connection");
    expect(screen).toMatch(/^ {2}on the other screentyped meanwhile\ngot typed meanwhile$/m);
    expect([await terminal.variable("alternate_on"), await terminal.variable("cursor_flag")]).toEqual(["1", "0"]);
    expect((await shell.info()).readers).toBe(1);
  });

  test("a short cut is not seen at all", async () => {
    const { proxy, terminal } = await opened();
    await terminal.enter("for i in 1 2 3 4 5 6 7 8; do echo line-$i; sleep 0.1; done");
    await terminal.shows("line-2");
    proxy.cut();
    await terminal.shows("line-8\nthere>");
    expect(await terminal.screen()).toContain("line-1\nline-2\nline-3\nline-4\nline-5\nline-6\nline-7\nline-8\nthere>");
  });

  test("SIGTERM leaves the shell running and the terminal as before, whatever the shell had made of it", async () => {
    const { terminal, before, shell, program } = await opened();
    await terminal.enter("printf '\\e[?1049h\\e[?25l\\e[?1000h\\e[?2004h\\e[31m%s' modes-''set; read -r line");
    await terminal.shows("modes-set");
    expect(await terminal.variable("alternate_on")).toBe("1");
    process.kill(program, "SIGTERM");
    await terminal.shows("`yonder kill there` ends it");
    await terminal.shows(/^here>$/m);
    const modes = ["alternate_on", "cursor_flag", "mouse_any_flag"].map((name) => terminal.variable(name));
    expect(await Promise.all(modes)).toEqual(["0", "1", "0"]);
    expect(await terminal.settings()).toBe(before);
    expect((await shell.info()).state).toBe("running");
  });

  test("the server's end gives the terminal back", async () => {
    const { server, terminal, before } = await opened();
    await server.restart("SIGKILL");
    await terminal.shows("yonder: the command was ended: server lost");
    await terminal.shows(/^here>$/m);
    await terminal.enter("echo code-$?");
    await terminal.shows("code-255");
    expect(await terminal.settings()).toBe(before);
  });

  test("after kill -9 the terminal takes commands, and the shell runs on", async () => {
    const { terminal, shell, program } = await opened();
    process.kill(program, "SIGKILL");
    await terminal.shows("Killed");
    await terminal.enter("echo us''able");
    await terminal.shows(/^usable$/m);
    expect((await shell.info()).state).toBe("running");
    await terminal.enter("clear; yonder attach there");
    await terminal.shows(/^there>$/m);
  });

  test("a terminal that is closed hangs up on the shell", async () => {
    const { terminal, shell } = await opened();
    await terminal.end();
    expect(await shell.wait()).toMatchObject({ reason: "KILLED", signal: "SIGHUP" });
  });

  test("a program in a terminal moves the cursor as it would there", async () => {
    const server = await serve();
    const terminal = await tmux({ YONDER_HOST: server.url });
    await terminal.enter(
      "clear; yonder exec -t -c 'stty raw; printf \"down\\nfurther\"; sleep 0.1; stty sane; echo; exit 4'",
    );
    await terminal.shows(/^down\n {4}further\nhere>$/m);
    await terminal.enter("echo code-$?");
    await terminal.shows("code-4");
  });
});
