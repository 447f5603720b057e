import type { ServerInfo } from "@yonder/client";
import { ok, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** Whether command and server are of an age. The contract only grows, so that either may be the older one. */
export function checkVersion(own: string, info: ServerInfo): Finding {
  const order = compare(own, info.version);
  if (info.currentTime === undefined) return older(info, own, "its contract lacks what this command asks for");
  if (order > 0) return older(info, own, "it refuses, by name, options that it does not know");
  if (order === 0) return ok("version", `${own} on both sides`);
  return warning(
    "version",
    `the server is ${info.version}, newer than this command, ${own}: what is new there is not known here`,
    "Upgrade the command: npm run package in a newer clone, then npm install --global packages/*.tgz",
  );
}

function older(info: ServerInfo, own: string, what: string): Finding {
  const detail = `the server is ${info.version || "of an unknown version"}, older than this command, ${own}: ${what}`;
  return warning("version", detail, "Upgrade the server.");
}

/** As semantic versions without what stands after "-" or "+". */
function compare(one: string, other: string): number {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): number[] {
  return (version.split(/[-+]/, 1)[0] ?? "").split(".").map((part) => Number.parseInt(part, 10) || 0);
}
