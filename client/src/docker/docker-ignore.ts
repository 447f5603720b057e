/** Says of paths, relative and with "/", whether a build's .dockerignore leaves them out. */
export interface DockerIgnore {
  excludes(path: string): boolean;
  /** Whether something inside an excluded directory may be in after all. */
  mayKeepInside(directory: string): boolean;
}

/**
 * Reads a .dockerignore. Not git's rules: patterns begin at the root, the last one that matches a path or a directory
 * above it decides, and "!" brings back what is inside an excluded directory, too.
 */
export function parseDockerIgnore(text: string): DockerIgnore {
  const rules = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const keeps = line.startsWith("!");
      const pattern = (keeps ? line.slice(1).trim() : line).replace(/^\/+|\/+$/g, "");
      return { keeps, pattern, matcher: toRegExp(pattern) };
    });
  return {
    excludes(path) {
      const names = path.split("/");
      const places = names.map((_, index) => names.slice(0, index + 1).join("/"));
      return rules.findLast(({ matcher }) => places.some((place) => matcher.test(place)))?.keeps === false;
    },
    mayKeepInside(directory) {
      return rules.some(
        ({ keeps, pattern }) => keeps && (/^[^/]*[*?[]/.test(pattern) || pattern.startsWith(`${directory}/`)),
      );
    },
  };
}

function toRegExp(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => wildcards[part] ?? part.replaceAll(/[\\^$.*+?()|{}]/g, String.raw`\$&`))
    .join("");
  return new RegExp(`^${source}$`, "s");
}

const wildcards: Record<string, string> = { "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
