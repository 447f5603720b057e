import type { CommandLimits, CommandOptions } from "@yonder/client";
import { UsageError } from "../frame/failure.ts";
import { count, duration, pair, size } from "../frame/parse.ts";
import { list, value } from "../frame/verb.ts";
import type { OptionValues } from "../frame/verb.ts";

/** The options that say where and as whom something runs: of `exec` and `shell`. */
export const placeOptions = {
  id: value(
    "--id <id>",
    "Its id, 1 to 128 of A-Za-z0-9._:-; the same id with the same command joins it, and starts nothing",
  ),
  env: list("-e, --env <name=value>", "Set a variable; NAME alone passes this machine's value on", { parse: variable }),
  cwd: value("-w, --cwd <dir>", "The directory to run in, absolute or relative to the workspace's"),
  user: value("-u, --user <user>", "The user to run as: a name, uid or uid:gid, where the server may switch"),
  label: list("-l, --label <name=value>", "A label to find it by with `yonder ps`; may be given several times", {
    parse: pair,
  }),
};

/** The options that bound what a command may do: of `exec`. */
export const boundOptions = {
  timeout: value("--timeout <duration>", "End it, with all that it started, after so long: 500ms, 10s, 5m, 1h30m", {
    parse: duration,
  }),
  idleTimeout: value("--idle-timeout <duration>", "End it when it has printed nothing for so long", {
    parse: duration,
  }),
  killGrace: value("--kill-grace <duration>", "How long it has between SIGTERM and SIGKILL when it is ended (2s)", {
    parse: duration,
  }),
  disconnectGrace: value(
    "--disconnect-grace <duration>",
    "End it when nobody has been connected to it for so long; without, it outlives this command",
    { parse: duration },
  ),
  outputLimit: value("--output-limit <size>", "End it when it has printed more: 64KiB, 10M, 1GiB", { parse: size }),
  limit: list(
    "--limit <name=value>",
    "Bound what it uses, where the server can: memory=512M, processes=100, cpu-time=1m, open-files=1024",
    { parse: limit },
  ),
};

/** Of verbs that show a terminal. */
export const escapeOption = value(
  "--escape <character>",
  "After Enter, this and . leaves the command running, this and ? says more; none for no escapes (~)",
  { parse: escape },
);

/** The escape character where the option is not given. */
export const defaultEscape = { character: "~" };

/** What the client takes for them. */
export function placed({ id, env, cwd, user, label }: OptionValues<typeof placeOptions>): CommandOptions {
  const variables = env.filter((each) => each !== undefined);
  return { execId: id, env: Object.fromEntries(variables), cwd, user, labels: Object.fromEntries(label) };
}

/** What the client takes for them. */
export function bounded(options: OptionValues<typeof boundOptions>): CommandOptions {
  return {
    timeoutMs: options.timeout,
    idleTimeoutMs: options.idleTimeout,
    killGraceMs: options.killGrace,
    disconnectGraceMs: options.disconnectGrace,
    outputLimitBytes: options.outputLimit,
    limits: Object.assign({}, ...options.limit) as CommandLimits,
  };
}

/** Undefined for a name that is not set here: as docker has it, it is then not set there either. */
function variable(text: string): readonly [name: string, value: string] | undefined {
  if (text.includes("=")) return pair(text);
  const value = process.env[text];
  return value === undefined ? undefined : [text, value];
}

function escape(text: string): { readonly character: string | undefined } {
  if (text === "none") return { character: undefined };
  if (/^[!-~]$/.test(text)) return { character: text };
  throw new UsageError("must be one ASCII character, or none");
}

function limit(text: string): CommandLimits {
  const [name, value] = pair(text);
  switch (name) {
    case "memory":
      return { memoryBytes: size(value) };
    case "processes":
      return { processes: count(value) };
    case "cpu-time":
      return { cpuTimeMs: duration(value) };
    case "open-files":
      return { openFiles: count(value) };
    default:
      throw new UsageError("must be memory, processes, cpu-time or open-files, with its value");
  }
}
