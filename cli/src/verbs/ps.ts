import type { ExecInfo } from "@yonder/client";
import { connect } from "../connection/connect.ts";
import { pair } from "../frame/parse.ts";
import { defineVerb, flag, list } from "../frame/verb.ts";
import { describeEnd } from "../exec/describe-end.ts";
import { formatDuration, formatSize } from "../output/units.ts";
import type { Column } from "../output/table.ts";
import { writeTable } from "../output/table.ts";
import { write, writeJsonLine } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    "Newest first. STATUS is how long a command has run, or how and when it ended; SIZE is what it has printed. A " +
      "command stays readable for a while after its end: `yonder logs` has its output.",
    "With --json, an object a line: execId, command (a text for the shell, or a list of arguments), state (running or " +
      "ended), pid, startTime, workingDir, user, labels, terminal, readers, stdoutBytes, stderrBytes, beginCursor, " +
      "endCursor, stdinOffset, stdinOpen, backgroundBytes, expireTime, and end: its reason, exitCode (negative for a " +
      "signal), signal, timeoutOccurred, startTime, endTime, durationMs, stdoutBytes, stderrBytes and message.",
  ],
  arguments: [],
  options: {
    running: flag("-r, --running", "Only those that run"),
    ended: flag("-e, --ended", "Only those that have ended"),
    label: list("-l, --label <name=value>", "Only those with this label; may be given several times", { parse: pair }),
    quiet: flag("-q, --quiet", "Only their ids, one a line"),
    json: flag("--json", "An object a line, for programs"),
  },
  examples: [
    ["yonder ps", "What runs, and what ran."],
    ["yonder ps -r -l role=dev", "What runs with this label."],
    ["yonder ps -q -r | xargs -n1 yonder kill", "End all that runs."],
    ["yonder ps --json | jq -r 'select(.end.exitCode != 0) | .execId'", "The ids of those that failed, or still run."],
  ],
  connects: true,
  async run({ options, connection }) {
    const { running, ended, label, quiet, json } = options;
    await using workspace = await connect(connection);
    const state = running === ended ? undefined : running ? "running" : "ended";
    const execs = await workspace.execs({ state, labels: Object.fromEntries(label) });
    if (json) {
      for (const exec of execs) await writeJsonLine(exec);
    } else if (quiet) {
      for (const { execId } of execs) await write(`${execId}\n`);
    } else {
      const { commandLine } = await import("@yonder/client");
      await writeTable(columns(commandLine), execs);
    }
  },
});

function columns(commandLine: (command: ExecInfo["command"]) => string): Column<ExecInfo>[] {
  const now = Date.now();
  return [
    { title: "ID", text: ({ execId }) => execId },
    { title: "STATUS", text: (exec) => status(exec, now) },
    { title: "PID", text: ({ pid }) => (pid === 0 ? "" : String(pid)), align: "right" },
    { title: "SIZE", text: ({ stdoutBytes, stderrBytes }) => formatSize(stdoutBytes + stderrBytes), align: "right" },
    {
      title: "LABELS",
      text: ({ labels }) =>
        Object.entries(labels)
          .map((each) => each.join("="))
          .join(","),
    },
    { title: "COMMAND", text: ({ command }) => commandLine(command), flexible: true },
  ];
}

function status({ end, startTime, terminal }: ExecInfo, now: number): string {
  if (!end) {
    const since = startTime ? ` ${formatDuration(Math.max(0, now - startTime.getTime()))}` : "";
    return `running${since}${terminal ? " (terminal)" : ""}`;
  }
  const when = end.endTime ? ` ${formatDuration(Math.max(0, now - end.endTime.getTime()))} ago` : "";
  return `${describeEnd(end)}${when}`;
}
