import { tick } from "./time.ts";

/** Waits until something holds, for what has no event to wait for. The test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await tick(5);
}
