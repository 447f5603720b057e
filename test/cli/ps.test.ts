import { expect, test } from "vitest";
import { serve } from "../helpers/serve.ts";
import { connect } from "../helpers/workspaces.ts";
import { runYonder } from "../helpers/yonder.ts";

test("ps lists what runs and what ran, by state and label, as a table, as ids and as JSON", async () => {
  const server = await serve();
  const workspace = await connect({ host: server.url });
  await workspace.executeCommand("printf abc; exit 3", { execId: "failed" });
  await workspace.spawn(["sleep", "60"], { execId: "dev", labels: { role: "dev" } });
  const environment = { YONDER_HOST: server.url };
  const ps = async (...args: string[]) => {
    const yonder = runYonder(["ps", ...args], environment);
    expect([await yonder.exited, yonder.stderr()]).toEqual([0, ""]);
    return yonder.stdout();
  };

  const [table, running, labelled, json] = await Promise.all([
    ps(),
    ps("-q", "--running"),
    ps("-q", "-l", "role=dev"),
    ps("--json", "--ended"),
  ]);
  const lines = table.trimEnd().split("\n");
  expect(lines[0]).toMatch(/^ID +STATUS +PID +SIZE +LABELS +COMMAND$/);
  expect(lines[1]).toMatch(/^dev +running \S+ +\d+ +0B +role=dev +sleep 60$/);
  expect(lines[2]).toMatch(/^failed +exited 3 .*ago +3B +printf abc; exit 3$/);
  expect([running, labelled]).toEqual(["dev\n", "dev\n"]);
  expect(
    json
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toMatchObject([
    { execId: "failed", command: "printf abc; exit 3", state: "ended", end: { reason: "EXITED", exitCode: 3 } },
  ]);
});

test("control characters of a command are shown escaped", async () => {
  const server = await serve();
  const workspace = await connect({ host: server.url });
  await workspace.executeCommand("true \u001b[31m\n\u202ered", { execId: "odd" });
  const yonder = runYonder(["ps"], { YONDER_HOST: server.url });
  expect(await yonder.exited).toBe(0);
  expect(yonder.stdout()).toContain(String.raw`true \e[31m\n\u202ered`);
});
