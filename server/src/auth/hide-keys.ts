import { isMainThread } from "node:worker_threads";
import { keyVariables } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { keyDigestLine, parseKeys } from "./api-keys.ts";

/**
 * Takes plain keys out of the process's environment, which every command that runs as the same user can read in
 * /proc/PID/environ. Deleting a variable does not change what stands there, so the process starts itself again in its own
 * place with the digests instead: the same pid, files and arguments.
 *
 * Returns where there is nothing to hide, and where it cannot be done, which is logged: before Node 22.15, and behind a
 * channel to a parent process, which would be cut.
 */
export function hideKeys(keys: readonly string[], logger: Logger): void {
  if (keys.length === 0) return;
  // Malformed ones are told of later, by who opens them.
  if (!hasPlain(keys)) return;
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const name of keyVariables) delete environment[name];
  environment[keyVariables[0] ?? ""] = keys.map((key) => (isDigest(key) ? key : keyDigestLine(key))).join(",");
  if (typeof process.execve === "function" && isMainThread && process.send === undefined) {
    process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], environment);
  }
  logger.warn(
    "commands can read the plain API keys in the server's environment; give their sha256: digests instead (yonder key)",
  );
}

function hasPlain(keys: readonly string[]): boolean {
  try {
    return parseKeys(keys.map((text) => ({ text, place: "" }))).hasPlain;
  } catch {
    return false;
  }
}

function isDigest(key: string): boolean {
  return key.startsWith("sha256:");
}
