import { expect, test } from "vitest";
import { serve } from "../helpers/serve.ts";
import { runYonder } from "../helpers/yonder.ts";

test("info tells what answers, its labels and its limits, for people and for programs", async () => {
  const flags = ["--label=team=blue", "--label=odd=\u001b[31mred", "--max-readers=7", "--exec-retention=90s"];
  const server = await serve({ flags });
  const environment = { YONDER_HOST: server.url };
  const [page, json] = [runYonder(["info"], environment), runYonder(["info", "--json"], environment)];
  expect([await page.exited, page.stderr()]).toEqual([0, ""]);
  const lines = page.stdout().split("\n");
  expect(lines).toContain(`workspace    ${server.workspaceId}`);
  expect(lines).toContain(`directory    ${server.workingDirectory}`);
  expect(lines).toContain("running      0");
  expect(lines).toContain("  team  blue");
  expect(lines).toContain(String.raw`  odd   \e[31mred`);
  expect(page.stdout()).toMatch(/^ {2}max readers +7$/m);
  expect(page.stdout()).toMatch(/^ {2}exec retention +1m 30s$/m);
  expect(page.stdout()).toMatch(/^ {2}max journal +1\.0GiB$/m);

  expect(await json.exited).toBe(0);
  expect(JSON.parse(json.stdout())).toMatchObject({
    workspaceId: server.workspaceId,
    labels: { team: "blue" },
    limits: { maxReaders: 7, execRetentionMs: 90_000 },
    platform: process.platform,
    runningExecs: 0,
  });
});
