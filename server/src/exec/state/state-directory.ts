import { randomBytes, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { makeDirectories } from "@yonder/transfer";
import { DirectoryLock } from "./directory-lock.ts";
import { StateDirectoryError } from "./state-directory-error.ts";
import { makeTemporary, removeTemporary } from "./temporary-state.ts";

export { StateDirectoryError } from "./state-directory-error.ts";

const HASH_KEY_BYTES = 32;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/u;
const WRITABLE_BY_OTHERS = 0o022;

interface Content {
  readonly path: string;
  readonly isTemporary: boolean;
  readonly lock: DirectoryLock;
  readonly workspaceId: string;
  readonly hashKey: Buffer;
  readonly outputDirectory: string;
}

/** Where a server keeps what outlives it: ids, ends and output of execs, and which workspace it is. */
export class StateDirectory {
  readonly #content: Content;

  private constructor(content: Content) {
    this.#content = content;
  }

  /**
   * Makes the directory if it is not there, private to the server's user. Without a path: a temporary one, which `close`
   * removes. Throws StateDirectoryError if it cannot be written or is not private, or if another live server uses it.
   */
  static async open(path: string | undefined): Promise<StateDirectory> {
    const isTemporary = path === undefined;
    const directory = isTemporary ? tmpdir() : resolve(path);
    try {
      if (isTemporary) return new StateDirectory(await openContent(await makeTemporary(directory), isTemporary));
      await makeDirectories(directory, 0o700);
      return new StateDirectory(await openContent(directory, isTemporary));
    } catch (error) {
      if (error instanceof StateDirectoryError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new StateDirectoryError(
        directory,
        `The state directory ${directory} cannot be used: ${message}`,
        "Name one that the server can write with --state-directory.",
        { cause: error },
      );
    }
  }

  /** Absolute. */
  get path(): string {
    return this.#content.path;
  }

  /** A UUID, made once and the same at every start. */
  get workspaceId(): string {
    return this.#content.workspaceId;
  }

  /** For the hashes of requests, so that they do not give away what was in them. Made once. */
  get hashKey(): Buffer {
    return this.#content.hashKey;
  }

  /** Where journals go. */
  get outputDirectory(): string {
    return this.#content.outputDirectory;
  }

  /** Lets another server have the directory; a temporary one is removed. */
  async close(): Promise<void> {
    this.#content.lock.release();
    if (this.#content.isTemporary) await removeTemporary(this.path);
  }
}

async function openContent(path: string, isTemporary: boolean): Promise<Content> {
  await mustBePrivate(path);
  const lock = DirectoryLock.take(path);
  if ("heldBy" in lock) throw inUse(path, lock.heldBy);
  try {
    const outputDirectory = join(path, "output");
    await makeDirectories(outputDirectory, 0o700);
    return {
      path,
      isTemporary,
      lock,
      outputDirectory,
      workspaceId: await readWorkspaceId(join(path, "workspace-id")),
      hashKey: await readHashKey(join(path, "hash-key")),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Whoever else could write here could make the server remember what never happened, or lead its files elsewhere. */
async function mustBePrivate(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const { uid, mode } = await directory.stat();
    const inside = `Name a directory inside it, such as ${join(path, "yonder")}, which the server then makes for itself`;
    const user = process.geteuid?.() ?? uid;
    if (uid !== user) {
      throw new StateDirectoryError(
        path,
        `The state directory ${path} belongs to user ${uid}, and the server runs as user ${user}`,
        `${inside}, or give it to the server with chown.`,
      );
    }
    if ((mode & WRITABLE_BY_OTHERS) !== 0) {
      throw new StateDirectoryError(
        path,
        `The state directory ${path} can be written by others (mode ${(mode & 0o7777).toString(8)})`,
        `${inside}, or keep others out with chmod go-w.`,
      );
    }
  } finally {
    await directory.close();
  }
}

function inUse(path: string, pid: number): StateDirectoryError {
  return new StateDirectoryError(
    path,
    `The state directory ${path} is in use by another server, process ${pid}`,
    "Stop that one, or give this one a directory of its own with --state-directory.",
  );
}

async function readWorkspaceId(path: string): Promise<string> {
  const id = (await readOrMake(path, () => Buffer.from(`${randomUUID()}\n`))).toString("utf8").trim();
  if (!UUID.test(id)) throw damaged(path, "a UUID");
  return id;
}

async function readHashKey(path: string): Promise<Buffer> {
  const key = await readOrMake(path, () => randomBytes(HASH_KEY_BYTES));
  if (key.length !== HASH_KEY_BYTES) throw damaged(path, `a key of ${HASH_KEY_BYTES} bytes`);
  return key;
}

async function readOrMake(path: string, content: () => Buffer): Promise<Buffer> {
  try {
    return await readWhole(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    await writeDurably(path, content());
    return await readWhole(path);
  }
}

async function readWhole(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Under its name it is there as a whole or not at all, after a power cut too: it is made only once. */
async function writeDurably(path: string, content: Buffer): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

function damaged(path: string, expected: string): StateDirectoryError {
  return new StateDirectoryError(
    path,
    `${path} does not hold ${expected}`,
    "Name an empty directory with --state-directory; this one's execs and their output cannot be trusted any more.",
  );
}
