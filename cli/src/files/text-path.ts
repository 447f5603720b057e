import { isUtf8 } from "node:buffer";
import { open } from "node:fs/promises";
import { Failure } from "../frame/failure.ts";
import { nameText } from "../output/names.ts";

/** A path of this machine that can be written as text, for as long as it is not disposed of. */
export interface TextPath extends AsyncDisposable {
  readonly path: string;
}

/** What is there, by a path that is text: one whose name is not is reached by its descriptor, which only Linux has. */
export async function textPath(path: string | Buffer): Promise<TextPath> {
  if (typeof path === "string" || isUtf8(path)) return { path: path.toString(), async [Symbol.asyncDispose]() {} };
  if (process.platform !== "linux") throw new Failure(`${nameText(path)} is not UTF-8, which this system cannot open`);
  const handle = await open(path, "r");
  return { path: `/proc/self/fd/${handle.fd}`, [Symbol.asyncDispose]: () => handle.close() };
}
