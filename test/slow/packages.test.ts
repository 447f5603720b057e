import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocks } from "../docs/pages.ts";
import { shell } from "../helpers/engines/shell.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "yonder-packages-"));
const npm = (cwd: string, ...args: string[]) => shell("npm", args, { cwd, timeoutMs: 240_000 });

/** An application that has installed these packages, as files. */
async function install(name: string, packages: readonly string[], flags: readonly string[] = []): Promise<string> {
  const application = join(directory, name);
  await shell("mkdir", [application]);
  writeFileSync(join(application, "package.json"), JSON.stringify({ name, type: "module" }));
  const files = packages.map((each) =>
    join(directory, readdirSync(directory).find((file) => file.startsWith(each)) ?? each),
  );
  await npm(application, "install", "--no-audit", "--no-fund", ...flags, ...files);
  return application;
}

describe("the packages, as `npm run package` makes them,", () => {
  beforeAll(() => npm(root, "pack", "--silent", "--workspaces", "--pack-destination", directory), 240_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test("give an application a client without a server and without native code", async () => {
    const application = await install("remote", ["yonder-proto", "yonder-wire", "yonder-transfer", "yonder-client"]);
    const program = 'import { RemoteWorkspace } from "@yonder/client"; console.log(typeof RemoteWorkspace.connect);';
    expect(await shell(process.execPath, ["--eval", program], { cwd: application })).toBe("function\n");
    expect(existsSync(join(application, "node_modules/@yonder/server"))).toBe(false);
    expect(await shell("find", [application, "-name", "*.node", "-o", "-name", "binding.gyp"])).toBe("");
  });

  test("give it a workspace in its own process, by the page's program as it stands", async () => {
    const application = await install("local", [
      "yonder-proto",
      "yonder-wire",
      "yonder-transfer",
      "yonder-client",
      "yonder-server",
    ]);
    const program = blocks.find(
      ({ page, text }) => page === "docs/getting-started.md" && text.includes("@yonder/client/local"),
    );
    writeFileSync(join(application, "program.ts"), program?.text ?? "");
    const printed = await shell(process.execPath, ["program.ts"], { cwd: application });
    expect(printed.trim()).toBe(program?.output?.text);
  });

  test("give a machine the command", async () => {
    const packages = ["yonder-proto", "yonder-wire", "yonder-transfer", "yonder-client", "yonder-server", "yonder-0"];
    await install("command", packages, ["--global", `--prefix=${join(directory, "prefix")}`]);
    const command = join(directory, "prefix/bin/yonder");
    expect(await shell(process.execPath, [command, "--help"])).toContain("serve");
  });
});
