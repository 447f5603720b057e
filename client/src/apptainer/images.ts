import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { makeDirectories } from "@yonder/transfer";
import { checkContract } from "../engine/image-contract.ts";
import { NotFound, Unavailable } from "../errors.ts";
import { buildFailed } from "./failures.ts";
import { existing } from "./settings.ts";
import { invalidOption } from "../invalid-option.ts";
import type { ApptainerWorkspaceOptions } from "./options.ts";
import type { Settings } from "./settings.ts";
import { runProgram } from "./run-program.ts";

type ImageOptions = Pick<ApptainerWorkspaceOptions, "serverImage" | "sifFile" | "pull" | "onLog" | "signal">;

/** What an image is built from. */
interface Source {
  /** For Apptainer. */
  readonly uri: string;
  /** What names its content, or where nothing does, itself. */
  readonly key: string;
  /** Whether the key stands for this content and no other. */
  readonly isFixed: boolean;
}

/** Several builds of one image wait for each other; whoever comes second finds what the first has made. */
const buildOnce = `
if [ "$5" = missing ] && [ -e "$1" ]; then exit 0; fi
rm -rf "\${1%.sif}".part-*
trap 'rm -rf "$2"' EXIT
trap 'exit 1' TERM INT HUP
"$3" build --force --mksquashfs-args "-comp zstd -Xcompression-level 1" "$2" "$4" && mv "$2" "$1"
`;

/** The SIF file or directory to start: what is there, or what is built of `image` and kept. */
export async function haveImage(options: ImageOptions, settings: Settings): Promise<string> {
  if (options.sifFile !== undefined) return existing("sifFile", resolve(options.sifFile));
  const image = options.serverImage ?? "";
  const { signal, onLog, pull = "missing" } = options;
  const { cacheDir, program, buildTimeoutMs: timeoutMs } = settings;
  const source = await sourceOf(image, signal);
  const name = createHash("sha256").update(source.key).digest("hex").slice(0, 32);
  const path = join(cacheDir, `${name}.sif`);
  const policy = source.isFixed && pull === "always" ? "missing" : pull;
  if (policy !== "always" && existsSync(path)) return path;
  if (policy === "never") {
    const message = `${image} is not in ${cacheDir}, and pull is "never"`;
    throw new NotFound(message, { reason: "IMAGE_NOT_FOUND", subject: image });
  }
  await makeDirectories(cacheDir).catch((error: unknown) => {
    throw invalidOption("cacheDir", `must be a directory that can be made and written: ${(error as Error).message}`);
  });
  const lock = join(cacheDir, `${name}.lock`);
  const part = join(cacheDir, `${name}.part-${process.pid}`);
  const args = [lock, "sh", "-c", buildOnce, "build", path, part, program, source.uri, policy];
  // Its own layers are kept there too, since homes have quotas; unless the user has a place for them.
  const env = process.env["APPTAINER_CACHEDIR"] ? {} : { APPTAINER_CACHEDIR: join(cacheDir, "layers") };
  const result = await runProgram("flock", args, { timeoutMs, env, signal, onLine: onLog });
  if (result.exitCode !== 0) throw buildFailed(image, result, settings);
  return path;
}

/** Rejects with CONTRACT_MISMATCH an image whose own server this client does not know how to start. */
export async function checkImageContract(
  program: string,
  image: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const args = ["inspect", "--json", "--labels", image];
  const { exitCode, stdout } = await runProgram(program, args, { timeoutMs: inspectMs, signal });
  // What is no image says so when it is started.
  if (exitCode === 0) checkContract(image, (JSON.parse(stdout) as Inspection).data?.attributes?.labels);
}

interface Inspection {
  readonly data?: { readonly attributes?: { readonly labels?: Record<string, string> } };
}

const inspectMs = 60_000;

async function sourceOf(image: string, signal: AbortSignal | undefined): Promise<Source> {
  const [, scheme, rest = ""] = /^([a-z-]+):(.*)$/.exec(image) ?? [];
  switch (scheme) {
    case "docker-archive":
    case "oci-archive": {
      const path = await existing("serverImage", resolve(rest));
      return { uri: `${scheme}:${path}`, key: await digestOf(path), isFixed: true };
    }
    case "docker-daemon":
      return await fromDaemon(rest, signal);
    case "docker":
    case "oras":
    case "library":
      return { uri: image, key: image, isFixed: /@sha256:[\da-f]{64}$/.test(image) };
    default:
      // "name:tag" has a colon too.
      if (!/^\w[\w./:@-]*$/.test(image) || image.includes("://"))
        throw invalidOption("serverImage", `must be a reference, got ${JSON.stringify(image)}`);
      return { uri: `docker://${image}`, key: `docker://${image}`, isFixed: image.includes("@sha256:") };
  }
}

/** An image of this machine's Docker, which knows its content's digest. */
async function fromDaemon(name: string, signal: AbortSignal | undefined): Promise<Source> {
  const args = ["image", "inspect", "--format", "{{.Id}}", name];
  const { exitCode, stdout, lines } = await runProgram("docker", args, { timeoutMs: 60_000, signal });
  if (exitCode !== 0 && /cannot connect to the docker daemon|permission denied/i.test(lines.join("\n"))) {
    throw new Unavailable(`Docker cannot be asked for the image ${name}: ${lines.at(-1)}`, {
      reason: "ENGINE_MISSING",
      subject: `docker-daemon:${name}`,
      remedy: "Start Docker, or set DOCKER_HOST to where it listens; or name the image in a registry or an archive.",
    });
  }
  if (exitCode !== 0) {
    const message = `Docker has no image ${name}: ${lines.at(-1) ?? "it does not say why"}`;
    throw new NotFound(message, { reason: "IMAGE_NOT_FOUND", subject: `docker-daemon:${name}` });
  }
  const tagged = /[:@]/.test(name.slice(name.lastIndexOf("/") + 1)) ? name : `${name}:latest`;
  return { uri: `docker-daemon:${tagged}`, key: stdout.trim(), isFixed: true };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
