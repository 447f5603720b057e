import picomatch from "picomatch";

/** Whether a path is wanted: it matches one of the globs, where there are any, and none of those that begin with "!". */
export function createGlobFilter(globs: readonly string[]): (path: string) => boolean {
  const wanted = globs.filter((glob) => !glob.startsWith("!")).map(compile);
  const unwanted = globs.filter((glob) => glob.startsWith("!")).map((glob) => compile(glob.slice(1)));
  return (path) =>
    (wanted.length === 0 || wanted.some((matches) => matches(path))) && !unwanted.some((matches) => matches(path));
}

function compile(glob: string): (path: string) => boolean {
  // A leading slash says that it is meant from the top; without any slash the name alone is meant.
  const isName = !glob.includes("/");
  const matches = picomatch(glob.replace(/^\//, ""), { dot: true, nonegate: true });
  return isName ? (path) => matches(path.slice(path.lastIndexOf("/") + 1)) : (path) => matches(path);
}
