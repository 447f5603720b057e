import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missing } from "./found.ts";
import type { Found } from "./found.ts";
import { shell, works } from "./shell.ts";

export interface ApptainerEngine {
  /** The program. */
  readonly program: string;
  /** Where the images that tests build are kept until the run is over, so that one build serves all. */
  readonly cacheDir: string;
}

const script = fileURLToPath(new URL("../../../scripts/get-apptainer.sh", import.meta.url));
/** Of fetching it, which is done once a clone. */
const fetchMs = 180_000;

/** The machine's Apptainer, else, where tests must have one, the one that `scripts/get-apptainer.sh` makes available. */
export async function openApptainer(): Promise<{ found: Found<ApptainerEngine>; stop: () => Promise<void> }> {
  const program = await findProgram();
  if (!program.available) return { found: program, stop: async () => {} };
  const cacheDir = await mkdtemp(join(tmpdir(), "yonder-sif-"));
  // Other users start what is in it, too.
  await chmod(cacheDir, 0o755);
  return { found: { ...program, cacheDir }, stop: () => rm(cacheDir, { recursive: true, force: true }) };
}

async function findProgram(): Promise<Found<{ program: string }>> {
  if (await works("apptainer", ["version"])) return { available: true, program: "apptainer" };
  const isWanted = process.env["REQUIRE_APPTAINER"] === "1";
  try {
    const program = (await shell("sh", [script, ...(isWanted ? [] : ["--cached"])], { timeoutMs: fetchMs })).trim();
    return { available: true, program };
  } catch (error) {
    return missing(
      isWanted ? (error as Error).message : "there is no apptainer command; scripts/get-apptainer.sh gets it",
    );
  }
}
