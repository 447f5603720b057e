import { choose } from "../connection/choose.ts";
import type { Finding } from "../doctor/finding.ts";
import { duration } from "../frame/parse.ts";
import { defineVerb, flag, value } from "../frame/verb.ts";
import { escapeControls } from "../output/escape.ts";
import { style } from "../output/style.ts";
import { write, writeJsonLine } from "../output/write.ts";

/** How long one look may take unless it is said. */
const defaultTimeoutMs = 5_000;

export const verb = defineVerb({
  description: [
    "Looks, step by step, at what stands between this command and the workspace, and says under each fault what to do " +
      "about it: the host's name, its port, TLS, HTTP/2 and the proxies that take it for something else, the key, the " +
      "versions, the clocks, what cuts silent streams, and then, as the server sees its own machine, terminals, git, " +
      "ripgrep, inotify's limits, what becomes of orphans, and the disks.",
    "`ok`: fine. `warning`: it works, but not all of it or not for long. `failed`: nothing works until it is mended. " +
      "`skipped`: there is nothing to look at, or a fault before it hides it.",
    "With --json, an object a line: step (name, port, tls, http, key, version, clock, idle, terminal, git, ripgrep, " +
      "watching, orphans, disk or notices), status (ok, warning, failed or skipped), detail, and remedy, which is empty " +
      "where there is nothing to do. A step may have several lines.",
  ],
  arguments: [],
  options: {
    idle: value(
      "--idle <duration>",
      "How long to watch a silent stream; 0 for not at all. Default: 2s longer than the server's heartbeats are apart",
      { parse: duration },
    ),
    timeout: value("--timeout <duration>", "How long each look may take. Default: 5s", { parse: duration }),
    json: flag("--json", "An object a line, for programs"),
  },
  examples: [
    ["yonder doctor", "Look at the workspace that is meant by default."],
    ["yonder doctor --host https://dev.example.org --idle 70s", "See whether a proxy cuts streams after a minute."],
    ["yonder doctor --json | jq -r 'select(.status == \"failed\") | .remedy'", "What has to be done."],
  ],
  exits: [
    ["0", "nothing failed; there may be warnings"],
    ["1", "something failed"],
  ],
  connects: true,
  async run({ options: { idle, timeout = defaultTimeoutMs, json }, connection }) {
    const choice = choose(connection);
    const { parseAddress } = await import("@yonder/client");
    const { examine } = await import("../doctor/examine.ts");
    const { ownVersion } = await import("../frame/own-version.ts");
    const subject = {
      address: parseAddress(choice.options.host),
      choice,
      timeoutMs: timeout,
      idleMs: idle,
      version: ownVersion(),
      onWait: (what: string) => note(`${what} …`, json),
    };
    if (!json) await write(`${style("bold", escapeControls(subject.address.host))} (${choice.saidBy})\n`);
    let hasFailed = false;
    for await (const finding of examine(subject)) {
      hasFailed ||= finding.status === "failed";
      note("", json);
      await (json ? writeJsonLine(finding) : write(lines(finding)));
    }
    return hasFailed ? 1 : 0;
  },
});

/** On a terminal, a line of its own that the next one takes away. */
function note(text: string, quiet: boolean): void {
  const { stderr, env } = process;
  if (!quiet && stderr.isTTY && env["TERM"] !== "dumb") stderr.write(`\r\u001b[K${text}`);
}

function lines({ step, status, detail, remedy }: Finding): string {
  const line = `${style(colours[status], status.padEnd(8))} ${step.padEnd(9)} ${escapeControls(detail)}\n`;
  return remedy === "" ? line : `${line}${" ".repeat(19)}${style("bold", "→")} ${escapeControls(remedy)}\n`;
}

const colours = { ok: "green", warning: "yellow", failed: "red", skipped: "dim" } as const;
