import { describe, expect, it } from "vitest";
import { withheldVariables, withoutWithheld } from "../../../../server/src/exec/process/withheld-variables.ts";
import { useLauncher } from "../../../fixtures/processes/launching.ts";

const PATH = process.env["PATH"] ?? "";

describe("a command's environment", () => {
  const server = {
    PATH,
    HOME: "/home/server",
    LANG: "C.UTF-8",
    KEPT: "kept",
    PWD: "/elsewhere",
    OLDPWD: "/elsewhere",
    YONDER_SERVER_API_KEYS: "secret",
    OPERATOR_SECRET: "secret",
  };
  const launching = useLauncher(() => ({ environment: server, secretEnvironmentNames: ["OPERATOR_*"] }));
  const environmentOf = async (environment: object = {}, args: readonly string[] = ["env", "-0"]) => {
    const change = { variables: {}, clean: false, unset: [], ...environment };
    const { stdout } = await launching.run({ args }, { environment: change });
    const pairs = stdout
      .split("\0")
      .filter(Boolean)
      .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
    return Object.fromEntries(pairs) as Record<string, string>;
  };

  it("is the server's without what is the server's own, with the mark and the directory", async () => {
    expect(await environmentOf()).toEqual({
      PATH,
      HOME: "/home/server",
      LANG: "C.UTF-8",
      KEPT: "kept",
      PWD: launching.directory,
      YONDER_EXEC_MARK: expect.stringMatching(/^test-/) as string,
    });
  });

  it("has what the request sets, and not what it unsets", async () => {
    const variables = { KEPT: "changed", NEW: "a\nb=c", EMPTY: "", SESSION_API_KEY: "the client's own", BOTH: "set" };
    const environment = await environmentOf({ variables, unset: ["LANG", "NOT_THERE", "BOTH"] });
    expect(environment).toMatchObject(variables);
    expect(environment).not.toHaveProperty("LANG");
  });

  it("is only what the request sets where it is clean, with a PATH and the mark", async () => {
    expect(await environmentOf({ variables: { A: "b" }, clean: true })).toEqual({
      A: "b",
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      PWD: launching.directory,
      YONDER_EXEC_MARK: expect.any(String) as string,
    });
  });

  it("keeps its mark whatever the request says", async () => {
    const environment = await environmentOf({ variables: { YONDER_EXEC_MARK: "mine" }, unset: ["YONDER_EXEC_MARK"] });
    expect(environment["YONDER_EXEC_MARK"]).toMatch(/^test-/);
  });

  it("takes the request's word for PWD", async () => {
    expect((await environmentOf({ variables: { PWD: "/theirs" } }))["PWD"]).toBe("/theirs");
  });
});

describe("what is withheld", () => {
  const withheld = (environment: Record<string, string>) => {
    const kept = withoutWithheld(environment);
    return Object.keys(environment).filter((name) => !Object.hasOwn(kept, name));
  };

  it("is every secret and address of a platform", () => {
    const secrets = {
      YONDER_SERVER_API_KEYS: "k",
      SESSION_API_KEY: "k",
      OH_SESSION_API_KEYS_0: "k",
      OH_SECRET_KEY: "k",
      KUBERNETES_SERVICE_HOST: "10.0.0.1",
      KUBERNETES_PORT: "tcp://10.0.0.1:443",
      REDIS_SERVICE_HOST: "10.3.2.1",
      REDIS_SERVICE_PORT: "6379",
      REDIS_SERVICE_PORT_CLIENT: "6379",
      REDIS_PORT: "tcp://10.3.2.1:6379",
      REDIS_PORT_6379_TCP: "tcp://10.3.2.1:6379",
      REDIS_PORT_6379_TCP_ADDR: "10.3.2.1",
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2",
      AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/token",
      AZURE_FEDERATED_TOKEN_FILE: "/var/run/token",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t",
      ACTIONS_RUNTIME_URL: "https://",
      LISTEN_FDS: "1",
      NOTIFY_SOCKET: "/run/n",
      JOURNAL_STREAM: "8:1",
    };
    expect(withheld(secrets)).toEqual(Object.keys(secrets));
  });

  it("is nothing that only has a name like one", () => {
    const kept = {
      APP_SERVICE_HOST: "api.example.com",
      APP_PORT: "3000",
      VITE_SERVICE_PORT: "http",
      NODE_OPTIONS: "--max-old-space-size=4096",
      NODE_EXTRA_CA_CERTS: "/etc/ca.pem",
      DOCKER_HOST: "tcp://docker:2375",
      OPENAI_API_KEY: "meant for commands",
      OHIO: "state",
      npm_config_registry: "https://registry.example.com",
      HTTPS_PROXY: "http://proxy:3128",
    };
    expect(withheld(kept)).toEqual([]);
  });

  it("is what npm left, where npm started the server", () => {
    expect(
      withheld({ npm_execpath: "/npm", npm_config_registry: "x", npm_lifecycle_event: "start", INIT_CWD: "/" }),
    ).toHaveLength(4);
  });

  it("has a reason for each", () => {
    for (const { name, reason } of withheldVariables) expect([name, reason.length > 10]).toEqual([name, true]);
  });
});
