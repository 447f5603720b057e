import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectories } from "@yonder/transfer";
import { readKeys, withKey, withoutTheDead, writeKeys } from "../engine/key-entries.ts";
import type { KeyEntry } from "../engine/key-entries.ts";
import { isOwnerAlive } from "../owner.ts";
import type { Owner } from "../owner.ts";
import { AlreadyExists, InvalidRequest, NotFound, PermissionDenied } from "../errors.ts";
import { endOf, lastLinesOf } from "./inside-file.ts";

/** What is known of an instance by its name, also after the program that started it has gone. */
export interface InstanceRecord {
  readonly name: string;
  /** The program that started it. */
  readonly owner: Owner;
  /** Whether it is meant to outlive that program. */
  readonly keepAlive: boolean;
  readonly workingDir: string;
  readonly program: string;
  /** How its server is reached. */
  readonly host: string;
  /** Its first process. Undefined while it is being started. */
  readonly init?: { readonly pid: number; readonly startTime: string };
}

/** The longest path of a socket that the kernel takes, in bytes. */
const longestSocketPath = 107;

/** The directory of one instance, closed to other users: its socket, its state and what is known of it. */
export class InstanceFiles {
  readonly name: string;
  readonly path: string;

  constructor(runtimeDir: string, name: string) {
    this.name = name;
    this.path = join(runtimeDir, "apptainer", name);
  }

  /** What the server is told, seen inside but not to be changed there. */
  get config(): string {
    return join(this.path, "config");
  }

  /** What the server writes. */
  get run(): string {
    return join(this.path, "run");
  }

  get socket(): string {
    return join(this.run, "yonder.sock");
  }

  get log(): string {
    return join(this.run, "log");
  }

  /** The default for `mountDir`. */
  get workspace(): string {
    return join(this.path, "workspace");
  }

  /** Where /tmp is, inside. */
  get temporary(): string {
    return join(this.path, "temporary");
  }

  /** Makes it. Rejects with NAME_IN_USE where there is one. */
  async create(): Promise<void> {
    if (Buffer.byteLength(this.socket) > longestSocketPath) {
      const message = `runtimeDir is too long: ${this.socket} has ${Buffer.byteLength(this.socket)} bytes, a socket's path may have ${longestSocketPath}`;
      throw new InvalidRequest(message, { reason: "INVALID_FIELD", subject: "runtimeDir" });
    }
    const parent = join(this.path, "..");
    await makeDirectories(parent, 0o700);
    await checkOwned(join(parent, ".."));
    await mkdir(this.path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
      throw nameInUse(this.name);
    });
    for (const each of [this.config, this.run, this.workspace, this.temporary]) await mkdir(each);
  }

  async write(record: InstanceRecord): Promise<void> {
    await replaceFile(join(this.path, "instance.json"), JSON.stringify(record));
  }

  /** Whose keys open it; none where it has no key file. */
  async readKeys(): Promise<KeyEntry[]> {
    return readKeys(await readFile(join(this.config, "keys"), "utf8").catch(() => ""));
  }

  async writeKeys(entries: readonly KeyEntry[]): Promise<void> {
    await replaceFile(join(this.config, "keys"), writeKeys(entries));
  }

  /** Lets a key into its server: whoever may write here may do anything in it. */
  async enterKey(digest: string): Promise<void> {
    const entries = withKey(await this.readKeys(), digest);
    if (entries !== undefined) await this.writeKeys(entries);
  }

  /** Whether nobody will ever end it, since all programs that had a key to it have gone. */
  async isOrphan(record: InstanceRecord): Promise<boolean> {
    if (record.keepAlive || isOwnerAlive(record.owner) !== false) return false;
    return withoutTheDead(await this.readKeys()).length === 0;
  }

  /** Undefined where there is none that makes sense. */
  async read(): Promise<InstanceRecord | undefined> {
    try {
      return JSON.parse(await readFile(join(this.path, "instance.json"), "utf8")) as InstanceRecord;
    } catch {
      return undefined;
    }
  }

  /** Undefined while the server runs. */
  async exitCode(): Promise<number | undefined> {
    const text = await endOf(join(this.run, "exit-code"));
    return text === "" ? undefined : Number(text);
  }

  /** By which the server knows itself. Undefined: it was not started yet. */
  async serverPid(): Promise<number | undefined> {
    const text = await endOf(join(this.run, "server-pid"));
    return Number(text) || undefined;
  }

  async lastLines(): Promise<readonly string[]> {
    return await lastLinesOf(this.log);
  }

  /** Removes it, with directories that commands have closed to themselves. */
  async remove(): Promise<void> {
    const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 };
    try {
      await rm(this.path, options);
    } catch (error) {
      if (!isDenied(error)) throw error;
      await openDirectories(this.path);
      await rm(this.path, options).catch((cause: unknown) => {
        if (!isDenied(cause)) throw cause;
        throw new PermissionDenied(`${this.path} has files of users that there are only in the instance`, {
          reason: "ACCESS_DENIED",
          subject: this.path,
          remedy: `remove it with: apptainer exec --fakeroot --bind ${this.path} IMAGE rm -rf ${this.path}`,
          cause,
        });
      });
    }
  }
}

/** The instances that are known under a directory, whoever started them. */
export async function listInstances(runtimeDir: string): Promise<string[]> {
  return await readdir(join(runtimeDir, "apptainer")).catch(() => []);
}

export function nameInUse(name: string): AlreadyExists {
  const remedy = "take another name, or end it: apptainer instance stop NAME";
  return new AlreadyExists(`there is an instance ${name} already`, { reason: "NAME_IN_USE", subject: name, remedy });
}

export function instanceNotFound(name: string, so = "it has ended, or was started on another machine"): NotFound {
  return new NotFound(`no instance ${name} runs here: ${so}`, { reason: "WORKSPACE_NOT_FOUND", subject: name });
}

/** Readers see the old one or the new one, and no other user either. */
async function replaceFile(path: string, content: string): Promise<void> {
  // Several may write it at once.
  const fresh = `${path}.${randomBytes(6).toString("hex")}.new`;
  await writeFile(fresh, content, { mode: 0o600 });
  await rename(fresh, path);
}

/** A directory below /tmp with a name that others can guess may be theirs. */
async function checkOwned(path: string): Promise<void> {
  const { uid, mode } = await lstat(path);
  if (uid === process.getuid?.() && (mode & 0o022) === 0) return;
  throw new PermissionDenied(`${path} belongs to another user, or others may write to it`, {
    reason: "ACCESS_DENIED",
    subject: path,
    remedy: "name a directory of your own in runtimeDir",
  });
}

/** As a module cache of Go has them: nothing in a directory can be removed by whoever may not write to it. */
async function openDirectories(path: string): Promise<void> {
  await chmod(path, 0o700).catch(() => {});
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await openDirectories(join(path, entry.name));
}

function isDenied(error: unknown): boolean {
  return ["EACCES", "EPERM"].includes(String((error as NodeJS.ErrnoException).code));
}
