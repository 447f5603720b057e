import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How much may be read from sockets before the collector is asked to look at what it is left of. */
const everyBytes = 4 << 20;

type Collect = (options: { type: "minor"; execution: "sync" }) => void;

/**
 * There is so little to do that other threads take longer to wake than it takes, and what they set free lies where it is
 * not used again at once. V8 looks at these flags with each collection: those of the program itself are as they were.
 */
const alone = "--no-parallel-scavenge --no-concurrent-array-buffer-sweeping";
const helped = "--parallel-scavenge --concurrent-array-buffer-sweeping";
/** Whether `helped` is how it was: so it is by default, in the versions of V8 that are known to have these flags. */
const isHelped =
  Number.parseInt(process.versions.v8, 10) <= 14 &&
  !/single-threaded|parallel-scavenge|array-buffer-sweeping/.test(
    [...process.execArgv, process.env["NODE_OPTIONS"]].join(" ").replaceAll("_", "-"),
  );

let collect: Collect | undefined;
let sinceBytes = 0;

/**
 * Told of bytes that were read. Node takes 64 KiB of memory for each read, dead as soon as they are copied. Left to
 * itself V8 lets them pile up until it marks the whole heap, some twenty to forty times a gigabyte and on threads beside:
 * on a small machine that costs more than all else that is done with the bytes. To look at young memory alone, a
 * fraction of a millisecond, is all it takes.
 */
export function countRead(bytes: number): void {
  sinceBytes += bytes;
  if (sinceBytes < everyBytes) return;
  sinceBytes = 0;
  collect ??= exposedCollector();
  if (isHelped) setFlagsFromString(alone);
  collect({ type: "minor", execution: "sync" });
  if (isHelped) setFlagsFromString(helped);
}

/** V8's own, which a context has that is made while the flag stands. It is not needed for anything but speed. */
function exposedCollector(): Collect {
  setFlagsFromString("--expose-gc");
  try {
    const exposed: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
    return (exposed as Collect | undefined) ?? (() => {});
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
