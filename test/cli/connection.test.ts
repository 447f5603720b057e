import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../helpers/certificates.ts";
import { serve } from "../helpers/serve.ts";
import { yonderConfig } from "../helpers/yonder-config.ts";
import { runYonder } from "../helpers/yonder.ts";

const key = "correct-horse-battery";

async function end(args: readonly string[], environment: Record<string, string> = {}) {
  const yonder = runYonder(args, { HOME: "/nowhere", XDG_CONFIG_HOME: "/nowhere", ...environment });
  const exitCode = await yonder.exited;
  return { exitCode, stdout: yonder.stdout(), stderr: yonder.stderr() };
}

const fine = { exitCode: 0, stdout: "", stderr: "" };
const ps = ["ps", "--running", "-q"];

test("flags go before variables, variables before the config file; a key stays with its profile", async () => {
  const server = await serve({ env: { YONDER_SERVER_API_KEY: key } });
  const dead = "http://127.0.0.1:1";
  const { environment, directory } = await yonderConfig({
    default: "open",
    profiles: {
      open: { host: server.url, apiKeyFile: "key" },
      inline: { host: server.url, apiKey: key },
      keyless: { host: server.url },
      dead: { host: dead },
    },
  });
  await writeFile(join(directory, "key"), `${key}\n`, { mode: 0o600 });
  const refused = { exitCode: 255, stdout: "" };

  expect(await end(ps, environment)).toEqual(fine);
  expect(await end(ps, { ...environment, YONDER_HOST: dead })).toMatchObject(refused);
  expect(await end(["--profile", "inline", ...ps], { ...environment, YONDER_HOST: dead })).toEqual(fine);
  expect(await end([...ps, "--profile", "inline"], { ...environment, YONDER_API_KEY: "wrong" })).toEqual(fine);
  expect(await end(ps, { ...environment, YONDER_PROFILE: "inline", YONDER_API_KEY: "wrong" })).toMatchObject(refused);
  expect(await end([...ps, "--profile=keyless"], { ...environment, YONDER_API_KEY: key })).toEqual(fine);
  expect(await end(["--profile", "dead", ...ps, "--profile", "open"], environment)).toEqual(fine);
  const withoutKey = await end([...ps, "--host", server.url], environment);
  expect(withoutKey).toMatchObject(refused);
  expect(withoutKey.stderr).toMatch(/^yonder: http:.* wants a key: put it into a file .*YONDER_API_KEY_FILE.*\n$/);
  expect((await end([...ps, "--host", dead], environment)).stderr).toMatch(
    /^yonder: no connection to .*`yonder doctor`.*\n$/,
  );
});

test("a key comes from a file or a variable, and never from the command line, nor is it told back", async () => {
  const server = await serve({ env: { YONDER_SERVER_API_KEY: key } });
  const file = join(await temporaryDirectory(), "key");
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  const host = { YONDER_HOST: server.url };
  expect(await end(ps, { ...host, YONDER_API_KEY: key })).toEqual(fine);
  expect(await end(ps, { ...host, YONDER_API_KEY_FILE: file, YONDER_API_KEY: "wrong" })).toEqual(fine);
  const odd = await end(ps, { ...host, YONDER_API_KEY: "two\nlines" });
  expect(odd.stderr).toBe("yonder: the key of YONDER_API_KEY must be printable ASCII without blanks\n");
  await chmod(file, 0o640);
  const open = await end(ps, { ...host, YONDER_API_KEY_FILE: file });
  expect(open.exitCode).toBe(255);
  expect(open.stderr).toContain(`chmod 600 ${file}`);
  for (const args of [
    ["--api-key", key, ...ps],
    [...ps, `--api-key=${key}`],
  ]) {
    const yonder = await end(args, host);
    expect(yonder.exitCode).toBe(2);
    expect(yonder.stderr).toContain("YONDER_API_KEY_FILE");
    expect(yonder.stderr).not.toContain(key);
  }
});

test.for([
  ["{", "it is no JSON"],
  [{ profiles: { a: { hots: "x" } } }, 'profile "a" has "hots"; known are host'],
  [{ profiles: { a: { apiKey: "k" } } }, 'profile "a" has no "host"'],
  [{ profiles: { a: { host: "http://x", apiKey: key, apiKeyFile: "f" } } }, 'both "apiKey" and "apiKeyFile"'],
  [{ default: "b", profiles: { a: { host: "http://x" } } }, 'the default "b" is not among its profiles (a)'],
  [{ profiles: { a: { host: "http://x" } } }, 'there is no profile "b" in'],
] as const)("a config file that is wrong says where: %j", async ([content, what]) => {
  const { environment } = await yonderConfig(content);
  const { exitCode, stderr } = await end([...ps, "--profile", "b"], environment);
  expect(exitCode).toBe(255);
  expect(stderr).toContain(what);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).not.toContain(key);
});

test("a config file with a key that others can read is refused; one without is not", async () => {
  const server = await serve();
  const profiles = { a: { host: server.url, apiKey: key } };
  const { path, environment } = await yonderConfig({ default: "a", profiles }, 0o644);
  const refused = await end(ps, environment);
  expect(refused.exitCode).toBe(255);
  expect(refused.stderr).toContain(`chmod 600 ${path}`);
  await writeFile(path, (await readFile(path, "utf8")).replace(`,"apiKey":"${key}"`, ""));
  expect(await end(ps, environment)).toEqual(fine);
});

test("without a workspace it says how to name one", async () => {
  const { exitCode, stderr } = await end(ps);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("--host URL");
});

test("what is wrong is told in the words of the command, with who said it", async () => {
  const server = await serve({ env: { YONDER_SERVER_API_KEY: key } });
  const [flag, variable, wrongKey, noKey, ca, dead] = await Promise.all([
    end([...ps, "--host", "elsewhere"]),
    end(ps, { YONDER_HOST: "http://user:password@x" }),
    end(ps, { YONDER_HOST: server.url, YONDER_API_KEY: "not-the-key" }),
    end(ps, { YONDER_HOST: server.url }),
    end([...ps, "--host", server.url, "--ca", "/etc/passwd"]),
    end(ps, { YONDER_HOST: "http://127.0.0.1:1" }),
  ]);
  const one = (stderr: string) => ({ exitCode: 255, stdout: "", stderr });
  expect(flag).toEqual(one(expect.stringMatching(/^yonder: --host: host must be a URL .*"elsewhere"\n$/) as string));
  expect(variable).toEqual(
    one(expect.stringMatching(/^yonder: YONDER_HOST: .*a key goes into YONDER_API_KEY\n$/) as string),
  );
  expect(wrongKey).toEqual(one(expect.stringContaining("does not take the key of YONDER_API_KEY") as string));
  expect(noKey).toEqual(one(expect.stringContaining("path into YONDER_API_KEY_FILE") as string));
  expect(ca).toEqual(one("yonder: --ca must be the PEM of a certificate: no start line\n"));
  expect(dead).toEqual(
    one(expect.stringMatching(/^yonder: no connection to http:\/\/127\.0\.0\.1:1: .*\n$/) as string),
  );
});
