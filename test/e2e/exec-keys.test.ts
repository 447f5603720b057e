import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Authentication } from "../../client/src/index.ts";
import { serve } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";
import { wires } from "../helpers/wires.ts";
import { connect } from "../helpers/workspaces.ts";

test.for(wires)(
  "a key file that is rewritten under a stream changes who may call, not who reads, by %s",
  { timeout: 120_000 },
  async ([, wire]) => {
    const [oldKey, newKey] = [freshKey(), freshKey()];
    const keyFile = await writeKeyFile(digest(oldKey));
    const server = await serve({ flags: [`--api-key-file=${keyFile}`] });
    let current = oldKey;
    const renewing = await connect({ host: server.url, ...wire, apiKey: async () => current });
    const stale = await connect({ host: server.url, ...wire, apiKey: oldKey });
    const handle = await renewing.spawn("echo begin; while read line; do echo $line; done");
    const reader = handle.lines()[Symbol.asyncIterator]();
    expect(await reader.next()).toEqual({ value: "begin", done: false });

    await writeFile(keyFile, `${digest(newKey)}\n`);
    current = newKey;
    const rewritten = performance.now();
    await until(async () => {
      const fresh = await connect({ host: server.url, ...wire, apiKey: newKey }).catch(() => undefined);
      return fresh !== undefined;
    });
    // The promise is five seconds; a machine that is busy with other tests is given a few more.
    expect(performance.now() - rewritten).toBeLessThan(15_000);

    // The stream that was open goes on, the client with a function finds the new key, the old key is refused.
    await handle.stdin.write("after\n");
    expect(await reader.next()).toEqual({ value: "after", done: false });
    await expect(stale.executeCommand("true")).rejects.toSatisfy(Authentication.is.bind(Authentication));
    await expect(connect({ host: server.url, ...wire, apiKey: oldKey })).rejects.toMatchObject({
      reason: "CREDENTIALS_INVALID",
    });
    await handle.stdin.end();
    expect(await reader.next()).toMatchObject({ done: true });
    expect(await handle.wait()).toMatchObject({ reason: "EXITED", exitCode: 0 });
  },
);

describe("a server that was started with a digest", () => {
  test("gives a command nothing to read that opens it", async () => {
    const key = freshKey();
    const keyFile = await writeKeyFile(digest(key));
    const server = await serve({
      flags: [`--api-key-file=${keyFile}`],
      env: {
        YONDER_SERVER_API_KEYS: digest(freshKey()),
        YONDER_SERVER_DRAIN_TIMEOUT: "5s",
        YONDER_HOST: "http://nowhere",
      },
    });
    const workspace = await connect({ host: server.url, apiKey: key });

    const gathered = await workspace.executeCommand(
      [
        "env -0",
        "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null",
        `find ${server.stateDirectory} ${keyFile} . -type f -exec cat {} + 2>/dev/null`,
        `cat /proc/$PPID/environ /proc/${server.pid}/environ /proc/${server.pid}/cmdline`,
      ].join("; "),
      { maxOutputBytes: 2 ** 26 },
    );
    expect(gathered.exitCode).toBe(0);
    expect(gathered.truncated).toBeUndefined();
    // It did find what there is: the digest, but not the key.
    const everything = Buffer.from(gathered.stdoutBytes).toString("latin1");
    expect(everything).toContain(digest(key));
    expect(everything).toContain("YONDER_SERVER_DRAIN_TIMEOUT=5s");
    const encodings = ["utf8", "base64", "base64url", "hex"] as const;
    expect(encodings.filter((encoding) => everything.includes(Buffer.from(key).toString(encoding)))).toEqual([]);
    // Nor does the digest open it.
    for (const guess of [digest(key), digest(key).replace("sha256:", "")]) {
      await expect(connect({ host: server.url, apiKey: guess })).rejects.toSatisfy(
        Authentication.is.bind(Authentication),
      );
    }
  });

  test("passes none of its variables, and none of the client's, on to a command", async () => {
    const key = freshKey();
    const server = await serve({
      env: {
        YONDER_SERVER_API_KEYS: `${digest(key)},${freshKey()}`,
        YONDER_SERVER_DRAIN_TIMEOUT: "5s",
        YONDER_HOST: "http://nowhere",
        YONDER_API_KEY: freshKey(),
        YONDER_API_KEY_FILE: "/nowhere",
        MEANT_FOR_COMMANDS: "yes",
      },
    });
    const workspace = await connect({ host: server.url, apiKey: key });
    for (const options of [{}, { cleanEnv: true }, { terminal: {} }]) {
      const { stdout } = await workspace.executeCommand("env", options);
      const names = stdout.split(/\r?\n/).map((line) => line.split("=")[0]);
      expect(names.filter((name) => name?.startsWith("YONDER_"))).toEqual(["YONDER_EXEC_MARK"]);
      expect(names.includes("MEANT_FOR_COMMANDS")).toBe(!("cleanEnv" in options));
    }
  });
});

function freshKey(): string {
  return randomBytes(24).toString("base64url");
}

function digest(key: string): string {
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

async function writeKeyFile(...lines: string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-keys-"));
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }));
  const path = join(directory, "api-keys");
  await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  return path;
}
