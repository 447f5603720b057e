import { stat } from "node:fs/promises";
import type { FileStats, StatOptions, Workspace } from "@yonder/client";
import { Failure } from "../frame/failure.ts";
import { argumentBytes } from "./argument-bytes.ts";

/** One end of a copy, as the command line names it. */
export type Operand =
  /** Standard input or output. */
  | { readonly kind: "pipe" }
  /** On this machine. */
  | { readonly kind: "local"; readonly path: string | Buffer }
  /** In a workspace: that of a profile, or, without one, the chosen one. */
  | { readonly kind: "remote"; readonly profile: string | undefined; readonly path: string | Buffer };

/**
 * Reads an operand as scp does: a colon before the first slash makes it remote. ":path" is in the chosen workspace,
 * "profile:path" in that of a profile, "-" standard input or output; "./a:b" is a file of this machine.
 */
export function parseOperand(text: string): Operand {
  if (text === "-") return { kind: "pipe" };
  if (text === "") throw new Failure('a path is empty: "." is this directory, ":" that of the workspace');
  const [head = ""] = text.split("/", 1);
  const colon = head.indexOf(":");
  if (colon < 0) return { kind: "local", path: argumentBytes(text) };
  const profile = colon === 0 ? undefined : text.slice(0, colon);
  const bytes = argumentBytes(text);
  const path = typeof bytes === "string" ? bytes.slice(colon + 1) : bytes.subarray(bytes.indexOf(0x3a) + 1);
  return { kind: "remote", profile, path };
}

/** The last name of a path; empty where the path names a directory by ".", ".." or nothing: then what is in it is meant. */
export function lastName(path: string | Buffer): string | Buffer {
  if (typeof path !== "string") {
    const name = lastName(path.toString("latin1"));
    return Buffer.from(name as string, "latin1");
  }
  const name = path.replace(/\/+$/, "").split("/").at(-1) ?? "";
  return /^\.{1,2}$/.test(name) ? "" : name;
}

/** A path with a name below it. */
export function joinPath(directory: string | Buffer, name: string | Buffer): string | Buffer {
  if (name.length === 0) return directory;
  if (typeof directory === "string" && typeof name === "string") {
    return directory === "" || directory.endsWith("/") ? `${directory}${name}` : `${directory}/${name}`;
  }
  const [first, second] = [Buffer.from(directory as string), Buffer.from(name as string)];
  const slash = first.length === 0 || first.at(-1) === 0x2f ? "" : "/";
  return Buffer.concat([first, Buffer.from(slash), second]);
}

/** Whether a path says by its form that it is a directory. */
export function saysDirectory(path: string | Buffer): boolean {
  const text = path.toString("latin1");
  return text === "" || /(^|\/)\.{0,2}$/.test(text);
}

/** Whether a path of the workspace is a directory, or leads to one. */
export async function isDirectoryThere(
  workspace: Workspace,
  path: string | Buffer,
  options?: StatOptions,
): Promise<boolean> {
  return (await statThere(workspace, path, options))?.isDirectory() === true;
}

/** What a path of the workspace leads to; undefined where there is nothing. */
export async function statThere(
  workspace: Workspace,
  path: string | Buffer,
  options?: StatOptions,
): Promise<FileStats | undefined> {
  return workspace.fs.stat(path, options).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  });
}

/** The directory that a path lies in. */
export function parentOf(path: string | Buffer): string | Buffer {
  const text = path.toString("latin1").replace(/\/+$/, "");
  const end = text.lastIndexOf("/");
  const parent = end < 0 ? "." : end === 0 ? "/" : text.slice(0, end);
  return typeof path === "string" ? Buffer.from(parent, "latin1").toString() : Buffer.from(parent, "latin1");
}

/** Whether a path of this machine is a directory, or leads to one. */
export async function isDirectoryHere(path: string | Buffer): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
