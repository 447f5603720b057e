import { flag, value } from "../frame/verb.ts";
import type { Verb } from "../frame/verb.ts";
import { describeServe, serve } from "./serve.ts";

/** `yonder serve` as the other verbs are declared, of the server's own table of settings. */
export const verb: Verb = {
  description: [
    "It listens on http://127.0.0.1:8000, prints one line when it is ready, and logs on standard error. Off loopback it " +
      "wants a key and TLS. SIGTERM and SIGINT stop it.",
    "Each option has a twin in the environment: YONDER_SERVER_DRAIN_TIMEOUT for --drain-timeout; the option goes first. " +
      "Keys can also be given as YONDER_SERVER_API_KEYS, with commas between several. docs/server.md has more.",
  ],
  arguments: [],
  options: Object.fromEntries(
    (await describeServe()).map(({ flags, description }) => {
      const more = /FILE|PATH|DIRECTORY/.test(flags) ? { completes: "local-path" as const } : {};
      return [flags, flags.includes("<") ? value(flags, description, more) : flag(flags, description)];
    }),
  ),
  examples: [
    ["yonder serve --working-directory /workspace", "For this machine alone."],
    ["yonder serve --socket /run/yonder.sock", "Without a network."],
  ],
  exits: [
    ["0", "it was stopped"],
    ["1", "it was stopped by a second signal"],
    ["2", "it did not start for what it was told"],
  ],
  connects: false,
  run: async () => await serve([]),
};
