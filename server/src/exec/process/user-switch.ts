import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { PermissionDenied, Unsupported } from "../../util/errors.ts";
import { DEFAULT_PATH } from "./environment.ts";
import { findFirst } from "./program-lookup.ts";
import type { Identity } from "./user.ts";

/** How a command becomes somebody else. */
export interface UserSwitch {
  /** What stands before the program and its arguments. */
  readonly prefix: readonly string[];
  /** For Node's spawn, where there is no prefix. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Chooses setpriv(1) of util-linux where it is there. Node's own `uid` and `gid` would do, but libuv then calls
 * setgroups(0): a user of the group "docker" would not be in it
 * (https://github.com/libuv/libuv/blob/v1.x/src/unix/process.c, uv__process_child_init).
 */
export async function userSwitch(identity: Identity): Promise<UserSwitch> {
  setpriv ??= findSetpriv();
  const path = await setpriv;
  if (path === undefined) return { prefix: [], ids: { uid: identity.uid, gid: identity.gid } };
  const groups = identity.groups.length === 0 ? "--clear-groups" : `--groups=${identity.groups.join(",")}`;
  return { prefix: [path, `--reuid=${identity.uid}`, `--regid=${identity.gid}`, groups, "--"], ids: undefined };
}

let setpriv: Promise<string | undefined> | undefined;

/** Busybox has one that cannot do this. */
export async function findSetpriv(): Promise<string | undefined> {
  const path = findFirst(["setpriv"], process.env["PATH"]);
  if (path === undefined) return undefined;
  const code = await exitCode([path, "--reuid=0", "--regid=0", "--clear-groups", "true"], undefined, "/");
  return code === 0 ? path : undefined;
}

/** Whether this is already who the server is, so that there is nothing to switch. */
export function isServersOwn(identity: Identity): boolean {
  return identity.uid === process.geteuid?.() && (!identity.groupNamed || identity.gid === process.getegid?.());
}

export function canSwitchUser(): boolean {
  if (process.geteuid?.() !== 0) return false;
  // Root of a container that dropped CAP_SETGID (6) or CAP_SETUID (7) cannot.
  const capabilities = effectiveCapabilities();
  return capabilities === undefined || (capabilities & 0xc0n) === 0xc0n;
}

export function assertCanSwitchUser(identity: Identity, user: string): void {
  if (canSwitchUser()) return;
  const own = process.geteuid?.() ?? 0;
  throw new Unsupported(
    "USER_UNSUPPORTED",
    `This server runs as uid ${own} and cannot work as ${identity.name} (uid ${identity.uid}).`,
    {
      subject: user,
      remedy: "Leave `user` empty, or run the server as root with CAP_SETUID and CAP_SETGID.",
    },
  );
}

export interface AccessQuestion {
  readonly identity: Identity;
  readonly how: UserSwitch;
  readonly shell: string;
  /** As the process is to be started in it. */
  readonly directory: string;
  /** As people call it. */
  readonly directoryName: string;
  readonly program: string;
}

/**
 * Asks the kernel whether the user may enter the directory and run the program, both of which the server has found. As
 * root it cannot tell by itself: root may do nearly everything, and mode bits are not all there is.
 */
export async function assertAccess({
  identity,
  how,
  shell,
  directory,
  directoryName,
  program,
}: AccessQuestion): Promise<void> {
  const check = `[ -x . ] || exit ${NO_DIRECTORY}; [ -x "$1" ] || exit ${NO_PROGRAM}`;
  const code = await exitCode([...how.prefix, shell, "-c", check, "sh", program], how.ids, directory);
  if (code !== NO_DIRECTORY && code !== NO_PROGRAM) return;
  const [verb, subject] = code === NO_DIRECTORY ? ["enter", directoryName] : ["run", program];
  throw new PermissionDenied(
    "ACCESS_DENIED",
    `The user ${identity.name} (uid ${identity.uid}) may not ${verb} ${JSON.stringify(subject)}.`,
    { subject, remedy: "Grant that user access, or choose another directory, program or user." },
  );
}

/** Asks the kernel whether the user may run the program, or enter the directory, at this absolute path. */
export async function mayReach(how: UserSwitch, path: string): Promise<boolean> {
  return (await exitCode([...how.prefix, "/bin/sh", "-c", '[ -x "$1" ]', "sh", path], how.ids, "/")) !== 1;
}

const NO_DIRECTORY = 11;
const NO_PROGRAM = 12;

function exitCode(args: readonly string[], ids: UserSwitch["ids"], directory: string): Promise<number | undefined> {
  const [program = "", ...rest] = args;
  return new Promise((resolve) => {
    // Without the server's environment: the user could read it.
    const child = spawn(program, rest, { stdio: "ignore", cwd: directory, env: { PATH: DEFAULT_PATH }, ...ids });
    child.once("error", () => resolve(undefined));
    child.once("exit", (code) => resolve(code ?? undefined));
  });
}

function effectiveCapabilities(): bigint | undefined {
  try {
    const match = /^CapEff:\s*([\da-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
    return match?.[1] === undefined ? undefined : BigInt(`0x${match[1]}`);
  } catch {
    return undefined;
  }
}
