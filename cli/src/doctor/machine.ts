import type { ServerDiagnosis, ServerDisk, ServerInfo } from "@yonder/client";
import { formatSize } from "../output/units.ts";
import { failed, ok, skipped, warning } from "./finding.ts";
import type { Finding, Step } from "./finding.ts";

/** What the server says of its own machine, judged. */
export function judgeMachine({ diagnosis, ...info }: ServerInfo): Finding[] {
  if (diagnosis === undefined) {
    return machineSteps.map((step) => skipped(step, "the server is too old to tell"));
  }
  return [
    terminal(diagnosis),
    git(diagnosis),
    ripgrep(diagnosis, info.features.includes("CONFINED_FILES")),
    watching(diagnosis, info),
    orphans(diagnosis),
    ...disks(diagnosis),
    ...info.notices.map((notice) => warning("notices", notice, "")),
  ];
}

/** Those that only the server can see. */
export const machineSteps: readonly Step[] = ["terminal", "git", "ripgrep", "watching", "orphans", "disk", "notices"];

function terminal({ terminalProblem }: ServerDiagnosis): Finding {
  if (terminalProblem === "") return ok("terminal", "the server opens one");
  return warning(
    "terminal",
    `the server opens none, so there is no \`yonder shell\`: ${terminalProblem}`,
    "Where the server is installed: apt-get install -y python3 make g++ && npm rebuild node-pty",
  );
}

function git({ git: { version, problem } }: ServerDiagnosis): Finding {
  if (problem === "") return ok("git", `git ${version}`);
  return warning(
    "git",
    `the server has none, so \`yonder git\` does nothing: ${problem}`,
    "Install it there: apt-get install -y git",
  );
}

function ripgrep({ ripgrep: { version, problem } }: ServerDiagnosis, isConfined: boolean): Finding {
  if (isConfined) return ok("ripgrep", "not used: the server is confined, and searches without regular expressions");
  if (problem === "") return ok("ripgrep", `ripgrep ${version}`);
  return warning(
    "ripgrep",
    `the server has none, so \`yonder search --regex\` is refused: ${problem}`,
    "Where the server is installed: npm install @vscode/ripgrep",
  );
}

function watching({ inotify }: ServerDiagnosis, { platform, limits }: Omit<ServerInfo, "diagnosis">): Finding {
  if (inotify === undefined) return skipped("watching", `${platform} has no inotify`);
  const { maxUserWatches, maxUserInstances, problem } = inotify;
  if (problem !== "") {
    return warning(
      "watching",
      `nothing can be watched there now: ${problem} (fs.inotify.max_user_watches is ${maxUserWatches}, max_user_instances ${maxUserInstances})`,
      raise,
    );
  }
  if (maxUserWatches > 0 && maxUserWatches < limits.maxWatchedDirectories) {
    return warning(
      "watching",
      `the kernel there watches ${maxUserWatches} directories for all of a user's programs; one \`yonder watch\` may span ${limits.maxWatchedDirectories}`,
      raise,
    );
  }
  return ok("watching", `up to ${maxUserWatches} directories`);
}

const raise =
  "On the machine, not in its container: sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512, and the same in /etc/sysctl.d.";

function orphans({ orphans: found }: ServerDiagnosis): Finding {
  if (found === undefined) return skipped("orphans", "the server cannot tell what becomes of them");
  const parent = `process ${found.parentPid}${found.parentName === "" ? "" : ` (${found.parentName})`}`;
  if (found.reaped) return ok("orphans", `${parent} collects processes that lost their parent`);
  return warning(
    "orphans",
    `${parent} does not collect processes that lost their parent: each keeps its number until there are none left`,
    "Start the container with an init: docker run --init, `init: true` in compose, tini as the image's entrypoint.",
  );
}

const enoughBytes = 2 ** 30;
const leastBytes = 16 * 2 ** 20;
const enoughFiles = 10_000;

/** The same file system is told once. */
function disks({ stateDisk, workingDisk }: ServerDiagnosis): Finding[] {
  const isSame = (["totalBytes", "availableBytes", "totalFiles", "availableFiles", "problem"] as const).every(
    (name) => stateDisk[name] === workingDisk[name],
  );
  const state = disk(stateDisk, "output of commands", "--state-directory");
  return isSame ? [state] : [state, disk(workingDisk, "files of the workspace", "--working-directory")];
}

function disk(found: ServerDisk, what: string, option: string): Finding {
  const { directory, availableBytes, totalBytes, totalFiles, availableFiles, problem } = found;
  if (problem !== "") return warning("disk", `${directory}, for ${what}, cannot be looked at: ${problem}`, "");
  const room = `${formatSize(availableBytes)} of ${formatSize(totalBytes)} are free at ${directory}, for ${what}`;
  const remedy = `Make room there, or give the server another place with ${option}.`;
  if (availableBytes < leastBytes) return failed("disk", room, remedy);
  if (availableBytes < enoughBytes) return warning("disk", room, remedy);
  if (totalFiles > 0 && availableFiles < enoughFiles) {
    return warning("disk", `only ${availableFiles} more files can be made at ${directory}, for ${what}`, remedy);
  }
  return ok("disk", room);
}
