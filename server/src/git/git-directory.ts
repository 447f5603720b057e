import { constants } from "node:fs";
import { lstat, open, readlink, realpath } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { joinPath, parentPath } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";

/** A directory to run git in, held open so that it is the same one from the first process to the last. */
export interface GitDirectory {
  /** The path for the kernel; through the open descriptor, so that a name need not be text. */
  readonly cwd: string;
  /** Where it really is. */
  readonly realPath: PathBytes;
  /** Whether it must be a repository's own directory; otherwise the repository is looked for upwards. */
  readonly isTopLevel: boolean;
}

const isLinux = process.platform === "linux";
/** What lies at the end of the path was looked up already; where paths are confined, no link may take its place. */
const confinedFlags = constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Runs `act` with the directory that `path` means. */
export function withGitDirectory<T>(
  paths: Paths,
  path: PathBytes,
  act: (directory: GitDirectory) => Promise<T>,
  isTopLevel = false,
): Promise<T> {
  return paths.locate(path, { follow: "yes" }, async ({ at }) => {
    const handle = await open(at, paths.isConfined ? confinedFlags : constants.O_DIRECTORY);
    try {
      return await act({ ...(await gitDirectory(handle, at)), isTopLevel });
    } finally {
      await handle.close();
    }
  });
}

async function gitDirectory(handle: FileHandle, at: PathBytes): Promise<{ cwd: string; realPath: PathBytes }> {
  if (!isLinux) return { cwd: at.toString("utf8"), realPath: await realpath(at, { encoding: "buffer" }) };
  const cwd = `/proc/self/fd/${handle.fd}`;
  return { cwd, realPath: await readlink(cwd, { encoding: "buffer" }) };
}

/** The nearest directory from `path` upwards that has a `.git`: the repository's, where `path` lies in one. */
export async function findTopLevel(path: PathBytes): Promise<PathBytes | undefined> {
  for (let directory = path; ; directory = parentPath(directory)) {
    if (await exists(joinPath(directory, dotGit))) return directory;
    if (directory.length <= 1) return undefined;
  }
}

export async function exists(path: PathBytes): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

export const dotGit: PathBytes = Buffer.from(".git");
