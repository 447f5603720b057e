/** One tree of control groups, and where the server sits in it. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of version 1 alone; version 2 says in cgroup.controllers what it has. */
  readonly controllers: readonly string[];
  /** The directory of the server's own group. */
  readonly own: string;
}

/**
 * Reads /proc/self/mountinfo and /proc/self/cgroup. A mount may show only a part of its tree (a container's), and the
 * server's group may lie outside of that part; such a hierarchy is left out.
 */
export function parseHierarchies(mountinfo: string, membership: string): Hierarchy[] {
  const memberships = membership.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  const found: Hierarchy[] = [];
  for (const line of mountinfo.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const [, , , root = "", mountPoint = ""] = left.split(" ").map(unescape);
    const [type, , options = ""] = right.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const version = type === "cgroup" ? 1 : 2;
    const controllers = options.split(",");
    const membership = memberships.find((match) =>
      version === 2
        ? match?.[1] === ""
        : match?.[1]?.split(",").some((name) => name !== "" && controllers.includes(name)),
    );
    const own = membership?.[2] === undefined ? undefined : below(root, membership[2]);
    if (own !== undefined)
      found.push({ version, controllers: version === 1 ? controllers : [], own: mountPoint + own });
  }
  return found;
}

/** The rest of the path under that root, with a leading slash; undefined where it is not under it. */
function below(root: string, path: string): string | undefined {
  if (path.split("/").includes("..")) return undefined;
  if (root === "/") return path === "/" ? "" : path;
  if (path === root) return "";
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}

/** Blanks and the like are octal there. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
