import { fileURLToPath } from "node:url";
import { missing } from "./found.ts";
import type { Found } from "./found.ts";
import { shell, works } from "./shell.ts";

export interface ApptainerEngine {
  /** The program. */
  readonly program: string;
}

const script = fileURLToPath(new URL("../../../scripts/get-apptainer.sh", import.meta.url));
/** Of fetching it, which is done once a clone. */
const fetchMs = 180_000;

/** The machine's Apptainer, else, where tests must have one, the one that `scripts/get-apptainer.sh` makes available. */
export async function openApptainer(): Promise<{ found: Found<ApptainerEngine>; stop: () => Promise<void> }> {
  return { found: await find(), stop: async () => {} };
}

async function find(): Promise<Found<ApptainerEngine>> {
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
