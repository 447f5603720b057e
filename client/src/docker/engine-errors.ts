import {
  AlreadyExists,
  InvalidRequest,
  LimitExceeded,
  NotFound,
  PermissionDenied,
  Unavailable,
  Unsupported,
} from "../errors.ts";
import type { YonderError } from "../errors.ts";
import { invalidOption } from "../invalid-option.ts";
import type { DockerWorkspaceOptions } from "./docker-options.ts";

/** The engine's "no", before it is known what it means for the caller. */
export class EngineRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string, path: string) {
    super(message || `the engine answered ${path} with ${status}`);
    this.name = "EngineRefusal";
    this.status = status;
  }
}

/** What a call was about, for the message. */
export interface EngineSubject {
  readonly image?: string;
  readonly container?: string;
  readonly name?: string | undefined;
  readonly hostPort?: number | undefined;
}

/** The engine cannot be spoken to at all. */
export function unreachable(cause: NodeJS.ErrnoException, host: string): YonderError {
  if (cause.code === "EACCES" || cause.code === "EPERM") {
    return new PermissionDenied(`this user may not open the container engine's socket, ${host}`, {
      reason: "ENGINE_DENIED",
      subject: host,
      remedy:
        "Add the user to the group that owns the socket (`sudo usermod -aG docker $USER`, then log in again), or run a rootless engine and set DOCKER_HOST to its socket.",
      cause,
    });
  }
  return new Unavailable(`no container engine answers at ${host}: ${cause.message || cause.code}`, {
    reason: "ENGINE_MISSING",
    subject: host,
    remedy:
      "Start Docker or Podman (`podman system service`), or set DOCKER_HOST or DOCKER_CONTEXT to where one listens.",
    retryable: true,
    cause,
  });
}

/** What a failure of the engine means to whoever asked for a container. Errors of ours pass as they are. */
export function toContainerError(error: unknown, subject: EngineSubject = {}): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  const { message, status } = error;
  const { image = "", container = "", name, hostPort } = subject;
  const common = { cause: error } as const;
  if (/no space left on device|disk quota exceeded/i.test(message)) {
    return new LimitExceeded(`the container engine's disk is full: ${message}`, {
      ...common,
      reason: "STORAGE_FULL",
      subject: image || container,
      remedy:
        "Make room where the engine keeps its data: `docker system df` shows what is there, `docker system prune` removes what is unused.",
    });
  }
  if (
    /does not match the specified platform|no matching manifest for|exec format error|image operating system/i.test(
      message,
    )
  ) {
    return wrongPlatform(image, message, error);
  }
  if (/port is already allocated|address already in use|ports are not available/i.test(message)) {
    return new AlreadyExists(`port ${hostPort ?? ""} of this machine is taken`, {
      ...common,
      reason: "PORT_IN_USE",
      subject: String(hostPort ?? ""),
      remedy: "Choose another port, or leave hostPort out and a free one is taken.",
    });
  }
  if (/name .*is already in use/i.test(message)) {
    return new AlreadyExists(`there is a container of the name "${name ?? ""}" already`, {
      ...common,
      reason: "NAME_IN_USE",
      subject: name ?? "",
      remedy: "Attach to it with DockerWorkspace.reattach, remove it with `docker rm --force`, or choose another name.",
    });
  }
  if (/could not select device driver/i.test(message)) {
    return new Unsupported(`the container engine has no GPU to give: ${message}`, {
      ...common,
      reason: "NOT_SUPPORTED",
      subject: "enableGpu",
      feature: "GPU",
      remedy: "Install the NVIDIA container toolkit where the engine runs, or start without enableGpu.",
    });
  }
  if (
    /no such image|manifest unknown|manifest for .* not found|repository does not exist|pull access denied|name unknown/i.test(
      message,
    )
  ) {
    return imageNotFound(image, message, error);
  }
  if (status === 404 && container !== "") return containerGone(container, error);
  const option = refusedOptions.find(([pattern]) => pattern.test(message))?.[1];
  if (option !== undefined) return invalidOption(option, `is refused by the container engine: ${message}`, error);
  const what = `the container engine refuses: ${message}`;
  if (status === 400)
    return new InvalidRequest(what, { ...common, reason: "ENGINE_FAILED", subject: image || container });
  return new Unavailable(what, {
    ...common,
    reason: "ENGINE_FAILED",
    subject: image || container,
    retryable: status >= 500,
  });
}

/** How engines speak of an option that they do not take, whatever the status of their answer. */
const refusedOptions: readonly (readonly [RegExp, keyof DockerWorkspaceOptions])[] = [
  [/unable to find (user|group)|no matching entries in (passwd|group) file/i, "user"],
  [/network \S+ not found|unable to find network/i, "network"],
  [/bind source path does not exist|statfs .*no such file or directory/i, "volumes"],
  [/memory limit/i, "memory"],
  [/range of cpus/i, "cpus"],
  [/rlimit|ulimit/i, "ulimits"],
  [/capability/i, "capAdd"],
  [/security-opt|seccomp/i, "securityOpt"],
  [/unknown (or invalid )?runtime|runtime .*not found/i, "runtime"],
  [/invalid container name/i, "name"],
  [/cannot mkdir|working directory/i, "workingDir"],
  [/tmpfs/i, "tmpfs"],
  [/mount path/i, "volumes"],
];

export function imageNotFound(image: string, why: string, cause?: unknown): NotFound {
  return new NotFound(`there is no image ${image}: ${why}`, {
    reason: "IMAGE_NOT_FOUND",
    subject: image,
    remedy: `Build it (\`docker build -t ${image} .\` in a clone of Yonder), pull it, or name another with serverImage.`,
    cause,
  });
}

function containerGone(container: string, cause?: unknown): NotFound {
  return new NotFound(`there is no container ${container}, or no longer`, {
    reason: "CONTAINER_GONE",
    subject: container,
    remedy: "Start a new workspace; `docker ps --all` lists the containers that there are.",
    cause,
  });
}

export function wrongPlatform(image: string, why: string, cause?: unknown): Unsupported {
  return new Unsupported(`the image ${image} is for another platform: ${why}`, {
    reason: "IMAGE_INVALID",
    subject: image,
    feature: "platform",
    remedy: "Build the image for this platform, leave `platform` out, or install emulation (qemu-user-static, binfmt).",
    cause,
  });
}

/** Runs what speaks to the engine; its refusals become errors that say what to do. */
export async function translated<T>(subject: EngineSubject, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw toContainerError(error, subject);
  }
}
