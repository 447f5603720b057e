import { logLevels } from "../logging/logger.ts";
import { limitSettings } from "./limit-settings.ts";
import { choice, count, duration, list, pairs, port, text, textWithDefault, toggle } from "./setting.ts";
import type { Setting } from "./setting.ts";

const SECOND = 1_000;

/**
 * Everything that can be set, in the order in which help and docs show it. Flags, variables, their checks and their docs
 * are all made from this table.
 */
export const settings = {
  host: textWithDefault({
    flag: "host",
    placeholder: "ADDRESS",
    defaultValue: "127.0.0.1",
    help: "The address or name to listen on",
  }),
  port: port({ flag: "port", defaultValue: 8000, help: "The port to listen on; 0 picks a free one" }),
  socket: text({
    flag: "socket",
    placeholder: "PATH",
    help: "Listen on a UNIX socket, which only this user can open: instead, or as well where --host or --port is given",
  }),
  workingDirectory: textWithDefault({
    flag: "working-directory",
    placeholder: "DIRECTORY",
    defaultValue: ".",
    help: "The workspace: what relative paths mean and where commands start",
  }),
  stateDirectory: text({
    flag: "state-directory",
    placeholder: "DIRECTORY",
    defaultText: "~/.local/state/yonder/HOST-PORT",
    help: "Where ids and output are kept over restarts; without a fixed port a temporary one",
  }),
  confine: text({
    flag: "confine",
    placeholder: "DIRECTORY",
    help: "Keep every path of the file and git services under this directory; commands go where they like (Linux only)",
  }),
  apiKeyFile: text({
    flag: "api-key-file",
    placeholder: "FILE",
    help: "Keys that open the server, one a line, plain or as sha256: digests; read again on change",
  }),
  noAuth: toggle({ flag: "no-auth", help: "Let everybody in who can reach the server, though not on loopback" }),
  tlsCert: text({
    flag: "tls-cert",
    placeholder: "FILE",
    help: "The certificate chain (PEM) to serve TLS with; read again on change",
  }),
  tlsKey: text({ flag: "tls-key", placeholder: "FILE", help: "The certificate's private key (PEM)" }),
  clientCa: text({
    flag: "client-ca",
    placeholder: "FILE",
    help: "Take only clients with a certificate of these authorities (PEM); they need a key too",
  }),
  allowCleartext: toggle({ flag: "allow-cleartext", help: "Serve without TLS though not on loopback" }),
  allowOrigins: list({
    flag: "allow-origin",
    placeholder: "ORIGIN",
    range: '"https://app.example.com", or "*" for all',
    help: "Let scripts of this origin call the server; can be given several times",
    checkItem(origin) {
      if (origin === "*" || (URL.canParse(origin) && new URL(origin).origin === origin)) return;
      throw new Error('an origin is "*" or has the form https://app.example.com, without a path');
    },
  }),
  healthPort: port({
    flag: "health-port",
    defaultValue: undefined,
    help: "Answer health, and nothing else, on this port too, in cleartext and without a certificate",
  }),
  labels: pairs({ flag: "label", help: "A label that GetInfo tells; can be given several times" }),
  logLevel: choice({
    flag: "log-level",
    placeholder: "LEVEL",
    values: logLevels,
    defaultValue: "info",
    help: "What to log on standard error; info has a line for each call",
  }),
  onStop: choice({
    flag: "on-stop",
    placeholder: "WHAT",
    values: ["end", "leave"],
    defaultValue: "end",
    help: "Whether commands that run are ended when the server stops, or left running",
  }),
  stopWithStdin: toggle({
    flag: "stop-with-stdin",
    help: "Stop once standard input ends: for a program that starts a server for itself, and may be killed",
  }),
  drainTimeoutMs: duration({
    flag: "drain-timeout",
    defaultValue: 5 * SECOND,
    min: 0,
    max: 3_600 * SECOND,
    help: "How long running calls may take to finish when the server stops",
  }),
  pingIntervalMs: duration({
    flag: "ping-interval",
    defaultValue: 20 * SECOND,
    min: 100,
    max: 3_600 * SECOND,
    help: "How often an HTTP/2 client is asked whether it is still there",
  }),
  pingTimeoutMs: duration({
    flag: "ping-timeout",
    defaultValue: 40 * SECOND,
    min: 100,
    max: 3_600 * SECOND,
    help: "How long it may be silent after that before its connection is closed",
  }),
  maxConnections: count({
    flag: "max-connections",
    defaultValue: 10_000,
    min: 1,
    max: 1_000_000,
    help: "How many connections may be open at once; more are refused",
  }),
  ...limitSettings,
} as const;

export type Settings = typeof settings;
export type SettingKey = keyof Settings;

/** The values of all settings. */
export type SettingValues = {
  readonly [K in SettingKey]: Settings[K] extends Setting<infer T> ? T : never;
};

/** The variable that stands for a flag. */
export function variableOf({ flag }: { readonly flag: string }): string {
  return `${variablePrefix}${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** Every variable of the server begins with it, and none of them reaches a command. */
export const variablePrefix = "YONDER_SERVER_";

/**
 * Keys may also come by these, with commas between several. There is no flag: everybody on the machine can read a
 * process's arguments.
 */
export const keyVariables: readonly string[] = ["YONDER_SERVER_API_KEYS", "YONDER_SERVER_API_KEY"];
