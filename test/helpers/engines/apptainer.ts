import { missing } from "./found.ts";
import type { Found } from "./found.ts";
import { works } from "./shell.ts";

export interface ApptainerEngine {
  /** The program. */
  readonly program: string;
}

/** Apptainer, where the machine has it. */
export async function openApptainer(): Promise<{ found: Found<ApptainerEngine>; stop: () => Promise<void> }> {
  const found: Found<ApptainerEngine> = (await works("apptainer", ["version"]))
    ? { available: true, program: "apptainer" }
    : missing("there is no apptainer command");
  return { found, stop: async () => {} };
}
