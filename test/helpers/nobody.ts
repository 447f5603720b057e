import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const uid = 65_534;

/** A user that a server can run as here, who is not root; undefined where there is none, which is said loudly. */
export const nobody = isThere() ? uid : undefined;

function isThere(): boolean {
  const source = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
  try {
    if (process.geteuid?.() !== 0) throw new Error("these tests do not run as root");
    execFileSync(process.execPath, ["-e", `process.getuid(); require("fs").readFileSync(${JSON.stringify(source)})`], {
      uid,
      gid: uid,
      stdio: ["ignore", "ignore", "pipe"],
    });
    return true;
  } catch (error) {
    process.stderr.write(`SKIP what a server does as another user: ${(error as Error).message.split("\n")[0]}\n`);
    return false;
  }
}
