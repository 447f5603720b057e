import { invalidOption } from "../invalid-option.ts";
import { choice, duration, onlyKnown } from "../option-rules.ts";
import { defaultRetry } from "./retry.ts";
import type { RetryOptions, RetryPolicy } from "./retry.ts";
import type { HttpVersion, Protocol } from "./transports.ts";

/** All in milliseconds, 1 to 86,400,000 (a day). None of them bounds a command. */
export interface TimeoutOptions {
  /** How long a connection may take to be had. Default 10,000. */
  connectMs?: number | undefined;
  /** How long one try of a call with one reply may take. Default 30,000. */
  callMs?: number | undefined;
  /** How often an HTTP/2 connection is asked whether it lives. Default 15,000. */
  pingIntervalMs?: number | undefined;
  /** How long it may take to answer before it is given up. Default 10,000. */
  pingTimeoutMs?: number | undefined;
}

/** Of a connection: what its options say, checked, with the defaults for what they do not say. */
export interface Settings {
  readonly protocol: Protocol;
  readonly httpVersion: HttpVersion;
  readonly timeouts: { readonly [Name in keyof TimeoutOptions]-?: number };
  readonly retry: RetryPolicy;
}

export interface SettingsOptions {
  readonly protocol?: Protocol | undefined;
  readonly httpVersion?: HttpVersion | undefined;
  readonly timeouts?: TimeoutOptions | undefined;
  readonly retry?: RetryOptions | undefined;
}

const defaultTimeouts: Settings["timeouts"] = {
  connectMs: 10_000,
  callMs: 30_000,
  pingIntervalMs: 15_000,
  pingTimeoutMs: 10_000,
};

const protocols: readonly Protocol[] = ["grpc", "connect", "grpc-web"];
const httpVersions: readonly HttpVersion[] = ["2", "1.1"];

/** Checked here, since they may come from JavaScript or from JSON. */
export function readSettings({ timeouts = {}, retry = {}, ...wire }: SettingsOptions): Settings {
  onlyKnown(timeouts, defaultTimeouts, "timeouts.");
  onlyKnown(retry, defaultRetry, "retry.");
  const httpVersion = choice("httpVersion", wire.httpVersion ?? "2", httpVersions);
  const protocol = choice("protocol", wire.protocol ?? (httpVersion === "2" ? "grpc" : "connect"), protocols);
  if (protocol === "grpc" && httpVersion === "1.1") {
    throw invalidOption(
      "httpVersion",
      'must be "2" for protocol "grpc"; over "1.1" use protocol "connect" or "grpc-web"',
    );
  }
  const timeout = (name: keyof TimeoutOptions) => duration(`timeouts.${name}`, timeouts[name] ?? defaultTimeouts[name]);
  const delay = (name: keyof RetryOptions, least: number) =>
    duration(`retry.${name}`, retry[name] ?? defaultRetry[name], least);
  return {
    protocol,
    httpVersion,
    timeouts: {
      connectMs: timeout("connectMs"),
      callMs: timeout("callMs"),
      pingIntervalMs: timeout("pingIntervalMs"),
      pingTimeoutMs: timeout("pingTimeoutMs"),
    },
    retry: {
      maxElapsedMs: delay("maxElapsedMs", 0),
      initialDelayMs: delay("initialDelayMs", 1),
      maxDelayMs: delay("maxDelayMs", 1),
    },
  };
}
