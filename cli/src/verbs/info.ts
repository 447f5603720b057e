import type { ServerInfo } from "@yonder/client";
import { connect } from "../connection/connect.ts";
import { defineVerb, flag } from "../frame/verb.ts";
import { escapeControls } from "../output/escape.ts";
import { style } from "../output/style.ts";
import { formatDuration, formatSize } from "../output/units.ts";
import { write, writeJsonLine } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    "What it is, where it works, what it can do beyond what every server can, what it could not have on its machine, its " +
      "labels, and the limits in force. docs/server.md says what each limit bounds; `yonder doctor` looks for faults.",
    "With --json, an object: workspaceId, instanceId, version, features, workingDirectory, limits (by name; durations end " +
      "in Ms), labels, uptimeMs, lastActivityTime, runningExecs, platform, architecture, notices and currentTime.",
  ],
  arguments: [],
  options: { json: flag("--json", "An object, for programs") },
  examples: [
    ["yonder info", "What answers there."],
    ["yonder info --json | jq .limits.maxJournalBytes", "One of its limits."],
  ],
  connects: true,
  async run({ options: { json }, connection }) {
    await using workspace = await connect(connection);
    const info = await workspace.getServerInfo();
    await (json ? writeJsonLine(info) : write(page(info)));
  },
});

function page(info: ServerInfo): string {
  const { lastActivityTime: last, currentTime: now } = info;
  const idle =
    last && now ? [["last active", `${formatDuration(Math.max(0, now.getTime() - last.getTime()))} ago`]] : [];
  return [
    section("", [
      ["workspace", info.workspaceId],
      ["instance", info.instanceId],
      ["version", info.version],
      ["directory", info.workingDirectory],
      ["machine", `${info.platform} ${info.architecture}`],
      ["up", formatDuration(info.uptimeMs)],
      ...idle,
      ["running", String(info.runningExecs)],
      ["features", info.features.map((feature) => feature.toLowerCase().replaceAll("_", "-")).join(", ") || "none"],
    ]),
    section("Labels", Object.entries(info.labels)),
    section("Limits", Object.entries(info.limits).map(limit)),
    info.notices.length === 0
      ? ""
      : `${style("bold", "Notices")}\n${info.notices.map((each) => `  ${escapeControls(each)}\n`).join("")}`,
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const cells = rows.map(([name = "", value = ""]) => [escapeControls(name), escapeControls(value)] as const);
  const width = Math.max(...cells.map(([name]) => name.length));
  const [head, indent] = title === "" ? ["", ""] : [`${style("bold", title)}\n`, "  "];
  return head + cells.map(([name, value]) => `${indent}${name.padEnd(width)}  ${value}\n`).join("");
}

/** "maxJournalBytes" of a GiB is "max journal  1.0GiB". */
function limit([name, value]: readonly [string, number]): readonly [string, string] {
  const [, words = name, unit] = /^(.*?)(Ms|Bytes)?$/.exec(name) ?? [];
  const title = words.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return [title, unit === "Ms" ? formatDuration(value) : unit === "Bytes" ? formatSize(value) : String(value)];
}
