import type { ChildProcess } from "node:child_process";
import { chown, readdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Transport } from "@connectrpc/connect";
import { makeDirectories } from "@yonder/transfer";
import type { LocalLauncher } from "../exec/process/local-launcher.ts";
import { assertCanSwitchUser, isServersOwn, mayReach, userSwitch } from "../exec/process/user-switch.ts";
import { resolveUser, type Identity } from "../exec/process/user.ts";
import type { OnInternalError } from "../rpc/error-map.ts";
import { serverStopping } from "../rpc/lifecycle.ts";
import { LimitExceeded, PermissionDenied } from "../util/errors.ts";
import { UserProcess, userProgram } from "./user-process.ts";
import type { UserSettings } from "./user-process-words.ts";

export interface UsersOptions {
  readonly launcher: Pick<LocalLauncher, "startAsUser">;
  /** Private to the server: in it each user has a directory for what outlives the user's process. */
  readonly directory: string;
  readonly settings: UserSettings;
  readonly onInternalError: OnInternalError;
}

/** The way to a user's process, for one call; the process is kept until it is released. */
export interface UserLease {
  readonly transport: Transport;
  /** False where the process ended in the midst. */
  readonly isAlive: boolean;
  release(): void;
}

interface Entry {
  readonly identity: Identity;
  readonly process: Promise<UserProcess>;
  /** Settles when it is gone, or never began. */
  readonly gone: Promise<void>;
  leases: number;
  isEnding: boolean;
}

/**
 * Whom the server works as beside itself. The kernel decides what a user may do, and it does so for processes: Node can
 * switch users only as a whole, and one thread's rights (setfsuid) do not reach what its library does on others. So each
 * user has a process, which begins with the first call and ends when nothing of it is remembered any more.
 */
export class Users {
  readonly #options: UsersOptions;
  readonly #entries = new Map<string, Entry>();
  /** What does not answer yet: nobody waits for it once the server stops. */
  readonly #starting = new Set<ChildProcess>();
  #isStopping = false;

  constructor(options: UsersOptions) {
    this.#options = options;
  }

  /**
   * Begins again for whom an earlier server has left uploads: they go on where they are asked for, and are given up when
   * they have waited too long. Never rejects; who is no user any more is passed over.
   */
  async resume(): Promise<void> {
    const keys = await readdir(this.#options.directory).catch(() => []);
    await Promise.all(keys.map((key) => this.#resumeOne(key).catch(() => {})));
  }

  /** Undefined where the user is whom the server runs as. Rejects as Exec does where it may not be, or is nobody. */
  async take(user: string): Promise<UserLease | undefined> {
    const identity = resolveUser(user);
    if (isServersOwn(identity)) return undefined;
    assertCanSwitchUser(identity, user);
    for (;;) {
      const entry = this.#entryFor(identity);
      if (entry.isEnding) {
        await entry.gone;
        continue;
      }
      entry.leases++;
      try {
        const process = await entry.process;
        if (process.isAlive) return leaseOf(entry, process);
        // Killed just now: nothing was asked of it yet, so another one can do it.
        entry.leases--;
        await this.#end(entry);
      } catch (error) {
        entry.leases--;
        // The next call tries again.
        entry.isEnding = true;
        throw error;
      }
    }
  }

  /** Takes no new work and ends what runs. */
  async stop(): Promise<void> {
    this.#startNoMore();
    await Promise.all(
      [...this.#entries.values()].map(({ process }) =>
        process.then(
          (one) => one.stop(),
          () => {},
        ),
      ),
    );
  }

  /** Ends all processes, in bounded time. */
  async close(): Promise<void> {
    this.#startNoMore();
    await Promise.all([...this.#entries.values()].map((entry) => this.#end(entry)));
  }

  #startNoMore(): void {
    this.#isStopping = true;
    for (const child of this.#starting) child.kill("SIGKILL");
  }

  #entryFor(identity: Identity): Entry {
    const key = keyOf(identity);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      // The account was changed: the process has what it was before.
      if (JSON.stringify(known.identity) !== JSON.stringify(identity)) void this.#end(known);
      return known;
    }
    if (this.#isStopping) throw serverStopping();
    const { maxUsers } = this.#options.settings.limits;
    if (this.#entries.size >= maxUsers) {
      throw new LimitExceeded(
        "LIMIT_EXCEEDED",
        `The server works as ${maxUsers} other users already, and no more may`,
        {
          subject: "max_users",
          limit: { name: "max_users", value: maxUsers },
          remedy: "Try again when it has done nothing for one of them for a while, or raise --max-users.",
        },
      );
    }
    const process = this.#start(key, identity);
    const gone = process.then(
      (one) => one.exited,
      () => {},
    );
    const entry: Entry = {
      identity,
      process,
      gone: gone.then(async () => {
        await this.#tidy(key);
        this.#entries.delete(key);
      }),
      leases: 0,
      isEnding: false,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  async #start(key: string, identity: Identity): Promise<UserProcess> {
    const { launcher, settings, onInternalError } = this.#options;
    const directory = join(this.#options.directory, key);
    await makeDirectories(directory, 0o700);
    await chown(directory, identity.uid, identity.gid);
    const { file, args } = userProgram;
    const program = process.execPath;
    const child = await launcher.startAsUser({ identity, program, args: [...args, file], directory });
    const onIdle = (): void => {
      const entry = this.#entries.get(key);
      if (entry?.leases === 0) void this.#end(entry);
    };
    this.#starting.add(child);
    if (this.#isStopping) child.kill("SIGKILL");
    try {
      return await UserProcess.open(child, { settings, onInternalError, onIdle });
    } catch (error) {
      if (this.#isStopping) throw serverStopping();
      throw (await this.#refusalOf(identity)) ?? new Error(`no process for user ${identity.name}`, { cause: error });
    } finally {
      this.#starting.delete(child);
    }
  }

  /** What the user cannot reach that every process of the server needs; undefined where that is all there. */
  async #refusalOf(identity: Identity): Promise<PermissionDenied | undefined> {
    const { confine } = this.#options.settings;
    const how = await userSwitch(identity);
    const needed = [process.execPath, dirname(userProgram.file), ...(confine === undefined ? [] : [confine])];
    for (const path of needed) {
      if (await mayReach(how, path)) continue;
      const who = `The user ${identity.name} (uid ${identity.uid})`;
      const what = path === confine ? "enter the directory that the server is confined to" : "run the server's program";
      return new PermissionDenied("ACCESS_DENIED", `${who} may not ${what}, ${JSON.stringify(path)}.`, {
        subject: path,
        remedy: "Grant that user access, or install Node and Yonder where all users may read.",
      });
    }
    return undefined;
  }

  async #end(entry: Entry): Promise<void> {
    entry.isEnding = true;
    await entry.process.then(
      (one) => one.end(),
      () => {},
    );
    await entry.gone;
  }

  /** Leaves nothing of a user for whom nothing waits. */
  async #tidy(key: string): Promise<void> {
    const directory = join(this.#options.directory, key);
    await rmdir(join(directory, "uploads")).catch(() => {});
    await rmdir(directory).catch(() => {});
  }

  async #resumeOne(key: string): Promise<void> {
    const uploads = await readdir(join(this.#options.directory, key, "uploads"));
    const [, uid, gid, alone] = /^(\d+)-(\d+)(-alone)?$/.exec(key) ?? [];
    if (uploads.length === 0 || uid === undefined) return;
    const identity = resolveUser(alone === undefined ? uid : `${uid}:${gid}`);
    if (keyOf(identity) !== key || isServersOwn(identity)) return;
    await this.#entryFor(identity).process;
  }
}

/** One process serves the user however the account is spelled; whoever names a group has that one alone. */
function keyOf({ uid, gid, groupNamed }: Identity): string {
  return `${uid}-${gid}${groupNamed ? "-alone" : ""}`;
}

function leaseOf(entry: Entry, process: UserProcess): UserLease {
  let isReleased = false;
  return {
    transport: process.transport,
    get isAlive() {
      return process.isAlive;
    },
    release() {
      if (!isReleased) entry.leases--;
      isReleased = true;
    },
  };
}
