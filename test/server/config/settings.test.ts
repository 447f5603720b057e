import { LimitsSchema } from "@yonder/proto";
import { expect, test } from "vitest";
import { limitSettings } from "../../../server/src/config/limit-settings.ts";
import { entries, fillSettings, readKeys, readSettings } from "../../../server/src/config/read-settings.ts";
import { settings, variableOf } from "../../../server/src/config/settings.ts";
import { defaultLimits } from "../../../server/src/util/limits.ts";

test("a flag goes before a variable, and a variable before the default", () => {
  const environment = { YONDER_SERVER_PORT: "9000", YONDER_SERVER_HOST: "127.0.0.2" };
  const given = readSettings({ port: ["9001"] }, environment);
  expect(given).toEqual({ port: 9_001, host: "127.0.0.2" });
  expect(fillSettings(given)).toMatchObject({ port: 9_001, host: "127.0.0.2", drainTimeoutMs: 5_000 });
});

test("an empty variable is as good as none", () => {
  expect(readSettings({}, { YONDER_SERVER_PORT: "", YONDER_SERVER_API_KEYS: "" })).toEqual({});
});

test("lists and pairs stand several times as flags and with commas as variables", () => {
  const given = readSettings(
    { labels: ["a=1", "b=x=y"] },
    { YONDER_SERVER_ALLOW_ORIGIN: "https://a.example, https://b.example:8443" },
  );
  expect(given).toEqual({
    labels: { a: "1", b: "x=y" },
    allowOrigins: ["https://a.example", "https://b.example:8443"],
  });
});

test("switches are true or false as variables", () => {
  expect(readSettings({}, { YONDER_SERVER_NO_AUTH: "true", YONDER_SERVER_ALLOW_CLEARTEXT: "0" })).toEqual({
    noAuth: true,
    allowCleartext: false,
  });
  expect(() => readSettings({}, { YONDER_SERVER_NO_AUTH: "yes" })).toThrow(
    'YONDER_SERVER_NO_AUTH cannot be "yes": it is "true" or "false"',
  );
});

test.each([
  [{ port: ["65536"] }, '--port cannot be "65536": it lies in the range 0 to 65535'],
  [{ port: ["http"] }, '--port cannot be "http": it is a whole number'],
  [{ drainTimeoutMs: ["10"] }, '--drain-timeout cannot be "10": a duration is a number with its unit'],
  [{ heartbeatIntervalMs: ["1m"] }, '--heartbeat-interval cannot be "1m": it lies in the range 100ms to 15s'],
  [{ maxMessageBytes: ["1KiB"] }, '--max-message-bytes cannot be "1KiB": it lies in the range 64KiB to 64MiB'],
  [{ logLevel: ["loud"] }, '--log-level cannot be "loud": it is one of: silent, error, warn, info, debug'],
  [{ labels: ["novalue"] }, '--label cannot be "novalue": it has the form NAME=VALUE'],
  [{ allowOrigins: ["https://a.example/path"] }, "--allow-origin cannot be"],
  [{ workingDirectory: [""] }, '--working-directory cannot be "": it is empty'],
])("%j is refused", (flags, message) => {
  expect(() => readSettings(flags, {})).toThrow(message);
});

test("everything that is wrong is told at once", () => {
  expect(() => readSettings({ port: ["x"] }, { YONDER_SERVER_LOG_LEVEL: "loud", YONDER_SERVER_NONSENSE: "1" })).toThrow(
    /YONDER_SERVER_NONSENSE[^]*--port[^]*YONDER_SERVER_LOG_LEVEL/,
  );
});

test("an unknown variable is refused, with the one that may be meant", () => {
  expect(() => readSettings({}, { YONDER_SERVER_API_KEYFILE: "keys" })).toThrow(
    "There is no variable YONDER_SERVER_API_KEYFILE; is YONDER_SERVER_API_KEY_FILE meant?",
  );
  expect(() => readSettings({}, { YONDER_SERVER_ELEPHANTS: "1" })).toThrow(/ELEPHANTS$/);
});

test("the client's own variables are none of the server's business", () => {
  expect(readSettings({}, { YONDER_HOST: "http://x", YONDER_API_KEY: "k", YONDER_API_KEY_FILE: "f" })).toEqual({});
});

test("the addresses that Kubernetes adds for a service called yonder-server are passed over", () => {
  const links = {
    YONDER_SERVER_SERVICE_HOST: "10.0.0.1",
    YONDER_SERVER_SERVICE_PORT: "8000",
    YONDER_SERVER_SERVICE_PORT_GRPC: "8000",
    YONDER_SERVER_PORT: "tcp://10.0.0.1:8000",
    YONDER_SERVER_PORT_8000_TCP: "tcp://10.0.0.1:8000",
    YONDER_SERVER_PORT_8000_TCP_PROTO: "tcp",
    YONDER_SERVER_PORT_8000_TCP_PORT: "8000",
    YONDER_SERVER_PORT_8000_TCP_ADDR: "10.0.0.1",
  };
  expect(readSettings({}, links)).toEqual({});
});

test("keys come from two variables, with commas between several", () => {
  expect(readKeys({ YONDER_SERVER_API_KEYS: "one, two", YONDER_SERVER_API_KEY: "three" })).toEqual([
    "one",
    "two",
    "three",
  ]);
});

test("a value that is given as such is checked like one that is parsed", () => {
  expect(() => fillSettings({ port: 70_000 })).toThrow("port cannot be 70000: it lies in the range 0 to 65535");
  expect(() => fillSettings({ logLevel: "loud" as never })).toThrow("logLevel cannot be");
});

test("every default is one that could be given", () => {
  for (const [, setting] of entries()) {
    if (setting.defaultValue !== undefined) setting.check(setting.defaultValue);
  }
});

test("every limit of the contract is a setting, by its name there", () => {
  const flags = new Set(Object.values(limitSettings).map(({ flag }) => flag.replaceAll("-", "_")));
  expect(flags).toEqual(new Set(LimitsSchema.fields.map(({ name }) => name)));
  expect(Object.keys(limitSettings)).toEqual(Object.keys(defaultLimits));
});

test("no two settings share a flag or a variable", () => {
  const variables = Object.values(settings).map(variableOf);
  expect(new Set(variables).size).toBe(variables.length);
});
