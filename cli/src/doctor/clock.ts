import type { RemoteWorkspace } from "@yonder/client";
import { formatDuration } from "../output/units.ts";
import { ok, skipped, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** Past this, makefiles, trees compared by time and certificates that were just made begin to suffer. */
const mostMs = 2_000;
const tries = 3;

/** How far the two clocks are apart, as well as it can be told over a wire that takes its time. */
export async function checkClock(workspace: RemoteWorkspace): Promise<Finding> {
  let best: { readonly skewMs: number; readonly doubtMs: number } | undefined;
  for (let index = 0; index < tries; index++) {
    const [begin, start] = [Date.now(), performance.now()];
    const { currentTime } = await workspace.getServerInfo();
    const tookMs = performance.now() - start;
    if (currentTime === undefined) return skipped("clock", "the server is too old to tell its time");
    const skewMs = currentTime.getTime() - (begin + tookMs / 2);
    if (best === undefined || tookMs / 2 < best.doubtMs) best = { skewMs, doubtMs: tookMs / 2 };
  }
  const { skewMs = 0, doubtMs = 0 } = best ?? {};
  const apart = Math.abs(skewMs);
  if (apart - doubtMs <= mostMs) return ok("clock", `the same time, to ${formatDuration(Math.max(1, doubtMs, apart))}`);
  const direction = skewMs > 0 ? "ahead of" : "behind";
  return warning(
    "clock",
    `the server's is ${formatDuration(apart)} ${direction} this machine's: times of files and of certificates do not fit`,
    "Set the one that is wrong, and keep it so: `timedatectl set-ntp true`. A container has its machine's; a machine that slept must be set anew.",
  );
}
