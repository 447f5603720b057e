import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "./certificates.ts";

/** A config file of the command's, and the variables by which it is found. */
export async function yonderConfig(content: unknown, mode = 0o600) {
  const base = await temporaryDirectory();
  const directory = join(base, "yonder");
  const path = join(directory, "config.json");
  await mkdir(directory);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  await chmod(path, mode);
  return { path, directory, environment: { XDG_CONFIG_HOME: base } };
}
