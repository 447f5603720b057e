import { isUtf8 } from "node:buffer";

/** Paths are bytes: what the kernel takes for a name need not be text. */
export type PathBytes = Buffer;

const slash = 0x2f;
const slashBuffer = Buffer.from("/");
export const dot: PathBytes = Buffer.from(".");

/** The path as text for people and messages; lossy where it is not UTF-8. */
export function pathText(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("utf8");
}

/** Whether the text of the path says all of it. */
export function isText(path: Uint8Array): boolean {
  return isUtf8(path);
}

/** `directory`/`name`, with one slash between them. */
export function joinPath(directory: PathBytes, name: PathBytes): PathBytes {
  if (directory.length === 0) return name;
  if (name.length === 0) return directory;
  return directory.at(-1) === slash ? Buffer.concat([directory, name]) : Buffer.concat([directory, slashBuffer, name]);
}

/** The names of a path, without empty ones and "."; ".." stays, since only the file system knows where it leads. */
export function splitPath(path: PathBytes): PathBytes[] {
  const names: PathBytes[] = [];
  let begin = 0;
  for (let index = 0; index <= path.length; index++) {
    if (index < path.length && path[index] !== slash) continue;
    const name = path.subarray(begin, index);
    if (name.length > 0 && !isDot(name)) names.push(name);
    begin = index + 1;
  }
  return names;
}

export function isAbsolute(path: PathBytes): boolean {
  return path[0] === slash;
}

/** `path` as an absolute one, without empty names and ".". */
export function absolutePath(directory: PathBytes, path: PathBytes): PathBytes {
  const names = isAbsolute(path) ? splitPath(path) : [...splitPath(directory), ...splitPath(path)];
  return pathOf(names);
}

/** The absolute path of these names. */
export function pathOf(names: readonly PathBytes[]): PathBytes {
  return names.length === 0 ? slashBuffer : Buffer.concat(names.flatMap((name) => [slashBuffer, name]));
}

/** The directory that an absolute path lies in. */
export function parentPath(path: PathBytes): PathBytes {
  const end = path.lastIndexOf(slash);
  return end <= 0 ? slashBuffer : path.subarray(0, end);
}

/** The last name of an absolute path; "." for the root. */
export function baseName(path: PathBytes): PathBytes {
  const name = path.subarray(path.lastIndexOf(slash) + 1);
  return name.length === 0 ? dot : name;
}

export function isDot(name: Uint8Array): boolean {
  return name.length === 1 && name[0] === 0x2e;
}

export function isDotDot(name: Uint8Array): boolean {
  return name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;
}

/** Whether `path` is `directory` or lies in it, by its names alone. */
export function isWithin(path: PathBytes, directory: PathBytes): boolean {
  const [names, above] = [splitPath(path), splitPath(directory)];
  return names.length >= above.length && above.every((name, index) => names[index]?.equals(name) === true);
}
