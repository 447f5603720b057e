import { readFileSync } from "node:fs";
import { InvalidRequest, NotFound } from "../../util/errors.ts";

/** Whom a command runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Whether the group was asked for, or is just the user's own. */
  readonly groupNamed: boolean;
  /** The groups besides `gid`. */
  readonly groups: readonly number[];
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

/** Where the accounts stand. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/**
 * Resolves "name", "uid", "name:group" or "uid:gid"; numbers need no account. Read from the files
 * themselves: Node asks for no account but its own, and a minimal image has no getent.
 */
export function resolveUser(
  user: string,
  files: AccountFiles = { passwd: "/etc/passwd", group: "/etc/group" },
): Identity {
  const [userPart = "", groupPart, ...rest] = user.split(":");
  if (userPart === "" || groupPart === "" || rest.length > 0) {
    throw new InvalidRequest(
      "INVALID_FIELD",
      `The user ${JSON.stringify(user)} is none of name, uid, name:group, uid:gid.`,
      {
        subject: "user",
      },
    );
  }
  const accounts = readTable(files.passwd);
  const groups = readTable(files.group);
  const number = parseId(userPart);
  const account = accounts.find((row) => row[0] === userPart) ?? accounts.find((row) => parseId(row[2]) === number);
  const uid = account === undefined ? number : parseId(account[2]);
  if (uid === undefined) {
    throw new NotFound("USER_NOT_FOUND", `There is no user ${JSON.stringify(userPart)} in ${files.passwd}.`, {
      subject: user,
      remedy: `Name one of that file, or give a number, for example "1000:1000".`,
    });
  }
  // A number without an account is a group of its own; docker would take root's.
  const gid = groupPart === undefined ? (parseId(account?.[3]) ?? uid) : resolveGroup(groupPart, groups, files.group);
  const name = account?.[0];
  return {
    uid,
    gid,
    groupNamed: groupPart !== undefined,
    // Whoever names a group wants that one alone, as with docker.
    groups: groupPart === undefined && name !== undefined ? memberships(groups, name, gid) : [],
    name: name ?? String(uid),
    home: account?.[5] || "/",
    shell: account?.[6] || "/bin/sh",
  };
}

function resolveGroup(group: string, groups: readonly string[][], file: string): number {
  const gid = parseId(groups.find((row) => row[0] === group)?.[2]) ?? parseId(group);
  if (gid !== undefined) return gid;
  throw new NotFound("USER_NOT_FOUND", `There is no group ${JSON.stringify(group)} in ${file}.`, {
    subject: group,
    remedy: `Name one of that file, or give a number, for example "1000:1000".`,
  });
}

function memberships(groups: readonly string[][], name: string, primary: number): number[] {
  const found = new Set<number>();
  for (const row of groups) {
    const gid = parseId(row[2]);
    if (gid !== undefined && gid !== primary && row[3]?.split(",").includes(name) === true) found.add(gid);
  }
  return [...found];
}

/** 2^32 - 1 means "leave it as it is" to setuid(2). */
function parseId(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id < 0xff_ff_ff_ff ? id : undefined;
}

/** A table that is not there is empty: an image from scratch has neither. */
function readTable(path: string): string[][] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}
