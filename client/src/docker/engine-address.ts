import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { InvalidRequest, NotFound } from "../errors.ts";

/** Where a container engine is. */
export interface EngineAddress {
  /** As Docker writes it: "unix:///var/run/docker.sock", "tcp://127.0.0.1:2376". */
  readonly host: string;
  readonly target: { readonly socketPath: string } | { readonly host: string; readonly port: number };
  /** For an engine that wants TLS. Undefined: it is spoken to in cleartext. */
  readonly tls: EngineTls | undefined;
}

export interface EngineTls {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly rejectUnauthorized: boolean;
}

/**
 * Where the engine is, decided as Docker's own command decides: an explicit host, DOCKER_HOST, DOCKER_CONTEXT, the
 * context in use; then the sockets where Docker, rootless Docker and Podman listen, whichever is there first.
 */
export function findEngine(explicit: string | undefined, env: NodeJS.ProcessEnv = process.env): EngineAddress {
  const host = explicit || env["DOCKER_HOST"];
  if (host) return addressOf(host, env["DOCKER_TLS_VERIFY"] ? tlsFrom(certificates(env), true) : undefined);
  const context = env["DOCKER_CONTEXT"] || currentContext(env);
  if (context && context !== "default") return readContext(context, env);
  const path = usualSockets(env).find((each) => existsSync(each));
  return addressOf(`unix://${path ?? "/var/run/docker.sock"}`, undefined);
}

/** Where engines listen that nobody configured. */
function usualSockets({ XDG_RUNTIME_DIR: runtime }: NodeJS.ProcessEnv): string[] {
  return [
    "/var/run/docker.sock",
    ...(runtime ? [join(runtime, "docker.sock")] : []),
    join(homedir(), ".docker/run/docker.sock"),
    ...(runtime ? [join(runtime, "podman/podman.sock")] : []),
    "/run/podman/podman.sock",
  ];
}

function addressOf(host: string, tls: EngineTls | undefined): EngineAddress {
  if (host.startsWith("unix://")) return { host, target: { socketPath: host.slice("unix://".length) }, tls: undefined };
  const url =
    /^(tcp|http|https):\/\//.test(host) && URL.canParse(host) ? new URL(host.replace(/^tcp:/, "http:")) : undefined;
  if (url === undefined) {
    const rule = 'must be "unix:///path" or "tcp://host:port"';
    const hint = host.startsWith("ssh://") ? "; through ssh, forward the engine's socket and name that" : "";
    throw new InvalidRequest(`the engine's address ${rule}, got "${host}"${hint}`, {
      reason: "INVALID_FIELD",
      subject: "dockerHost",
    });
  }
  const secure = tls !== undefined || url.protocol === "https:";
  const port = Number(url.port) || (secure ? 2376 : 2375);
  return {
    host,
    target: { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port },
    tls: secure ? (tls ?? noTlsFiles) : undefined,
  };
}

const noTlsFiles: EngineTls = { ca: undefined, cert: undefined, key: undefined, rejectUnauthorized: true };

function configDirectory(env: NodeJS.ProcessEnv): string {
  return env["DOCKER_CONFIG"] || join(homedir(), ".docker");
}

function certificates(env: NodeJS.ProcessEnv): string {
  return env["DOCKER_CERT_PATH"] || configDirectory(env);
}

function currentContext(env: NodeJS.ProcessEnv): string | undefined {
  const config = readJson(join(configDirectory(env), "config.json")) as { currentContext?: unknown } | undefined;
  return typeof config?.currentContext === "string" ? config.currentContext : undefined;
}

/** Docker keeps a context in a directory named by the digest of the context's name. */
function readContext(name: string, env: NodeJS.ProcessEnv): EngineAddress {
  const directory = createHash("sha256").update(name).digest("hex");
  const contexts = join(configDirectory(env), "contexts");
  const meta = readJson(join(contexts, "meta", directory, "meta.json")) as ContextMeta | undefined;
  const endpoint = meta?.Endpoints?.["docker"];
  if (!endpoint?.Host) {
    throw new NotFound(`there is no Docker context "${name}" in ${contexts}`, {
      reason: "ENGINE_MISSING",
      subject: name,
      remedy: "`docker context ls` lists them; DOCKER_CONTEXT and `docker context use` choose one.",
    });
  }
  const files = join(contexts, "tls", directory, "docker");
  const tls = existsSync(files) ? tlsFrom(files, !endpoint.SkipTLSVerify) : undefined;
  return addressOf(endpoint.Host, tls);
}

interface ContextMeta {
  readonly Endpoints?: Record<string, { readonly Host?: string; readonly SkipTLSVerify?: boolean }>;
}

function tlsFrom(directory: string, rejectUnauthorized: boolean): EngineTls {
  const read = (name: string) => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path) : undefined;
  };
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem"), rejectUnauthorized };
}

/** Undefined for a file that is missing or no JSON: Docker's command goes on without it, too. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
