import { quoted } from "../engine/wait-until-serving.ts";
import { InvalidRequest, LimitExceeded, NotFound, StartFailed, Unavailable } from "../errors.ts";
import type { YonderError } from "../errors.ts";
import { nameInUse } from "./instance-files.ts";
import type { Settings } from "./settings.ts";
import type { RunResult } from "./run-program.ts";

const full = /no space left on device|disk quota exceeded|write failed because/i;
const noImage =
  /manifest unknown|no such image|reference does not exist|access to the resource is denied|unauthorized|status code 40[134]|requested access|not found/i;
const noWay = /no such host|connection refused|connection reset|i\/o timeout|network is unreachable|TLS handshake/i;
const noSif =
  /image format not recognized|could not open image|unknown image format|no such loop|while opening image|not a valid|invalid SIF|squashfs/i;

/** What a build that failed means for whoever asked for the image. */
export function buildFailed(image: string, result: RunResult, settings: Settings): YonderError {
  const { exitCode, timedOut } = result;
  const lines = troubles(result.lines);
  const said = lines.join("\n");
  const { cacheDir, buildTimeoutMs } = settings;
  if (timedOut) {
    const message = `building ${image} took longer than ${buildTimeoutMs} ms${quoted(lines)}`;
    return new StartFailed(message, { reason: "START_TIMED_OUT", subject: image, log: lines, retryable: true });
  }
  if (full.test(said)) return storageFull(cacheDir, lines);
  if (noWay.test(said)) {
    const message = `the registry of ${image} cannot be reached${quoted(lines)}`;
    return new Unavailable(message, { reason: "ENGINE_FAILED", subject: image, retryable: true });
  }
  if (noImage.test(said)) {
    const message = `there is no image ${image}, or it may not be had${quoted(lines)}`;
    return new NotFound(message, { reason: "IMAGE_NOT_FOUND", subject: image });
  }
  const message = `${image} could not be built${quoted(lines)}`;
  return new StartFailed(message, { reason: "IMAGE_INVALID", subject: image, log: lines, exitCode });
}

/** What an instance that Apptainer did not start means. */
export function startFailed(name: string, image: string, result: RunResult): YonderError {
  const { exitCode } = result;
  const lines = troubles(result.lines);
  const said = lines.join("\n");
  if (/instance .* already exists/i.test(said)) return nameInUse(name);
  if (full.test(said)) return storageFull(image, lines);
  if (noSif.test(said)) {
    const message = `${image} is no image that this Apptainer can start${quoted(lines)}`;
    return new InvalidRequest(message, { reason: "IMAGE_INVALID", subject: image });
  }
  const message = `Apptainer did not start instance ${name}${quoted(lines)}`;
  const remedy = /could not use fakeroot/i.test(said)
    ? "Have an administrator give this user ranges in /etc/subuid and /etc/subgid, or start with useFakeroot: false."
    : "";
  return new StartFailed(message, { reason: "START_FAILED", subject: name, log: lines, exitCode, remedy });
}

/** What Apptainer complains of: what else it tells has words of other troubles in it. */
function troubles(lines: readonly string[]): readonly string[] {
  const found = lines.filter((line) => !/^(INFO|DEBUG|VERBOSE|WARNING): /.test(line));
  return found.length > 0 ? found : lines;
}

function storageFull(place: string, lines: readonly string[]): LimitExceeded {
  const message = `there is no room left in ${place}${quoted(lines)}`;
  const remedy = "remove what is not needed there, or name another directory";
  return new LimitExceeded(message, { reason: "STORAGE_FULL", subject: place, remedy, retryable: true });
}
