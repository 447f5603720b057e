import { expect, onTestFinished, test } from "vitest";
import { RemoteWorkspace } from "../../client/src/index.ts";
import { startProxy } from "../helpers/proxy.ts";
import { serve } from "../helpers/serve.ts";

test("an agent runs a build, loses its connection, changes its mind, and comes back the next day", async () => {
  const server = await serve();
  const proxy = await startProxy({ target: server.url });
  onTestFinished(() => proxy.close());
  await using workspace = await RemoteWorkspace.connect({ host: proxy.url });

  // A command runs in the workspace's directory, and its output comes while it is printed.
  const seen: string[] = [];
  const first = await workspace.executeCommand('echo "*.log" > .gitignore; echo ready; ls -A; exit 3', {
    onStdout: (text) => seen.push(text),
  });
  expect(first).toMatchObject({ exitCode: 3, stdout: "ready\n.gitignore\n", stderr: "", reason: "EXITED" });
  expect(seen.join("")).toBe(first.stdout);

  // One that takes too long is ended, and what it had said is kept.
  const slow = await workspace.executeCommand("echo begun; sleep 600", { timeoutMs: 2_000 });
  expect(slow).toMatchObject({ exitCode: -1, timeoutOccurred: true, stdout: "begun\n" });

  // A build of its own, that asks a question. Its id is the agent's own.
  const build = await workspace.spawn('echo compiling; read -p "go on? " answer; echo "said $answer"; sleep 600', {
    execId: "call_42",
    labels: { task: "build" },
  });
  const reader = build.lines()[Symbol.asyncIterator]();
  expect(await reader.next()).toMatchObject({ value: "compiling" });

  // The network goes away and comes back; neither the build nor its reader notices.
  proxy.cut();
  await build.stdin.write("yes\n");
  expect(await reader.next()).toMatchObject({ value: "said yes" });

  // The same call again does not build twice.
  const twice = await workspace.spawn('echo compiling; read -p "go on? " answer; echo "said $answer"; sleep 600', {
    execId: "call_42",
    labels: { task: "build" },
  });
  expect(twice.pid).toBe(build.pid);
  expect(await workspace.execs({ labels: { task: "build" }, state: "running" })).toMatchObject([{ execId: "call_42" }]);

  // It takes too long: the agent interrupts it.
  expect(await build.kill("SIGINT")).toBeGreaterThan(0);
  expect(await build.wait()).toMatchObject({ reason: "KILLED", signal: "SIGINT", exitCode: -2 });
  expect(await reader.next()).toMatchObject({ done: true });

  // Overnight the server is updated. What ended before can be read as before, by whoever knows its id.
  await server.restart();
  await using nextDay = await RemoteWorkspace.connect({ host: server.url });
  const again = await nextDay.attach("call_42");
  expect((await again.output({ stream: "stdout" })).text).toBe("compiling\nsaid yes\n");
  expect((await again.output({ grep: /^said/ })).lines).toMatchObject([{ text: "said yes", stream: "stdout" }]);
  expect(await again.wait()).toEqual(await build.wait());
});
