import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Metadata } from "@grpc/grpc-js";
import { RemoteWorkspace } from "@yonder/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reflectedClient } from "../helpers/reflected-client.ts";
import { serve } from "../helpers/serve.ts";

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

describe("the command as one program", () => {
  // Where it lies in a package: what it looks up, it looks up from there.
  const directory = mkdtempSync(join(pathOf("../../cli/"), "bundle-"));
  const main = join(directory, "bundle", "main.js");
  beforeAll(() => {
    execFileSync(process.execPath, [pathOf("../../scripts/bundle.mjs"), join(directory, "bundle")]);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("knows its version and its verbs", () => {
    const text = readFileSync(pathOf("../../cli/package.json"), "utf8");
    const { version } = JSON.parse(text) as { version: string };
    expect(execFileSync(process.execPath, [main, "--version"], { encoding: "utf8" }).trim()).toBe(version);
    expect(execFileSync(process.execPath, [main, "--help"], { encoding: "utf8" })).toContain("serve");
  });

  it("serves all that the server serves", async () => {
    const plain = await RemoteWorkspace.connect({ host: (await serve()).url });
    const server = await serve({ program: [main] });
    const workspace = await RemoteWorkspace.connect({ host: server.url });
    const info = await workspace.getServerInfo();
    expect(info.features).toEqual((await plain.getServerInfo()).features);
    expect((await workspace.executeCommand("echo hi")).stdout).toBe("hi\n");
    writeFileSync(join(server.workingDirectory, "a.txt"), "needle\n");
    const { matches } = await workspace.fs.search({ text: "needle" });
    expect(matches).toHaveLength(1);
    const address = new URL(server.url).host;
    const client = await reflectedClient(address, "yonder.workspace.v1.ExecService", new Metadata());
    expect(Object.keys(Object.getPrototypeOf(client) as object)).toContain("Attach");
    client.close();
    await Promise.all([plain.close(), workspace.close()]);
  });
});
