import { isUtf8 } from "node:buffer";
import { joinDirectory } from "../exec/to-wire.ts";
import { invalidOption } from "../invalid-option.ts";
import { shown } from "../option-rules.ts";

/** A path in the workspace: text, or bytes for a name that is not UTF-8. Relative ones mean the workspace's directory. */
export type PathLike = string | Uint8Array;

/** What holds where a call says no more: the workspace's directory, and as whom it is. */
export interface PlaceContext {
  readonly workingDir: string | undefined;
  readonly defaults: { readonly user?: string | undefined };
}

/** A path, and as whom it is meant, as requests take them. */
export interface WirePlace {
  path: string;
  rawPath: Uint8Array;
  user: string;
}

/** Where something is to be done, and as whom. */
export function toWirePlace({ workingDir, defaults }: PlaceContext, path: PathLike, user?: string): WirePlace {
  return { ...toWirePath(workingDir, path), user: user ?? defaults.user ?? "" };
}

/** A path as the contract takes it. */
export function toWirePath(workingDir: string | undefined, path: PathLike): { path: string; rawPath: Uint8Array } {
  if (typeof path === "string") return { path: joinDirectory(workingDir, path), rawPath: none };
  if (!((path as unknown) instanceof Uint8Array))
    throw invalidOption("path", `must be a string or bytes, got ${shown(path)}`);
  if (isUtf8(path)) return toWirePath(workingDir, Buffer.from(path).toString());
  const isAbsolute = path[0] === 0x2f || workingDir === undefined || workingDir === "";
  return { path: "", rawPath: isAbsolute ? path : Buffer.concat([Buffer.from(`${workingDir}/`), path]) };
}

/** A path of a reply: text, or bytes where text cannot say it. */
export function fromWirePath({ path, rawPath }: { path: string; rawPath: Uint8Array }): string | Buffer {
  return rawPath.length === 0 ? path : Buffer.from(rawPath);
}

/** A path for people. */
export function pathText(path: PathLike): string {
  if (typeof path === "string") return path;
  return (path as unknown) instanceof Uint8Array ? Buffer.from(path).toString() : shown(path);
}

const none = new Uint8Array(0);
