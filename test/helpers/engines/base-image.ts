import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { shell, works } from "./shell.ts";

/** What the Dockerfile stands on by default. */
export const officialBase = "node:24-bookworm-slim";
/** What our own is called in an engine that is somebody's. */
const ownName = "yonder-test-base:node-24-bookworm-slim";

const cache = fileURLToPath(new URL("../../../.cache/engines/", import.meta.url));
const pullMs = 60_000;
const makeMs = 300_000;
const nodeVersion = "24.21.0";
const npmVersion = "11.21.2";

/**
 * Makes sure that the engine has a base image, and answers its name: the one it has, else the registry's, else one made
 * from Debian's and npm's packages, which needs no registry. In a private engine that one bears the official name, so
 * that the Dockerfile is built as it stands.
 */
export async function haveBaseImage(env: Record<string, string>, isPrivate: boolean): Promise<string> {
  for (const name of [officialBase, ownName]) {
    if (await works("docker", ["image", "inspect", name], env)) return name;
  }
  if (!isPrivate) {
    if (await pull(env)) return officialBase;
    await makeBaseImage(ownName, env);
    return ownName;
  }
  const archive = join(cache, `base-${nodeVersion}.tar`);
  if (existsSync(archive)) {
    await shell("docker", ["load", "--quiet", "--input", archive], { env, timeoutMs: makeMs });
    return officialBase;
  }
  await makeBaseImage(officialBase, env);
  mkdirSync(cache, { recursive: true });
  // Renamed when complete: a test run that is interrupted leaves no half of it.
  const part = `${archive}.${process.pid}`;
  await shell("docker", ["save", "--output", part, officialBase], { env, timeoutMs: makeMs });
  renameSync(part, archive);
  return officialBase;
}

async function pull(env: Record<string, string>): Promise<boolean> {
  return await shell("docker", ["pull", "--quiet", officialBase], { env, timeoutMs: pullMs }).then(
    () => true,
    () => false,
  );
}

/** A drop-in for the official image: Debian from its own packages, Node and npm from npm's. */
async function makeBaseImage(name: string, env: Record<string, string>): Promise<void> {
  if (!(await works("mmdebstrap", ["--version"])))
    throw new Error(`there is no image ${officialBase}, it cannot be pulled, and without mmdebstrap none can be made`);
  const context = await mkdtemp(join(tmpdir(), "yonder-base-"));
  try {
    await Promise.all([makeRootFileSystem(context), fetchNode(context)]);
    cpSync("/etc/ssl/certs/ca-certificates.crt", join(context, "host-ca.crt"));
    writeFileSync(join(context, "Dockerfile"), dockerfile);
    await shell("docker", ["build", "--quiet", "--tag", name, context], { env, timeoutMs: makeMs });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

async function makeRootFileSystem(context: string): Promise<void> {
  // In memory where there is any: a third faster.
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const scratch = await mkdtemp(join(parent, "yonder-mmdebstrap-"));
  // prettier-ignore
  const args = [
    "--variant=apt",
    "--dpkgopt=force-unsafe-io",
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--include=ca-certificates",
    "bookworm",
    join(context, "rootfs.tar"),
  ];
  try {
    await shell("mmdebstrap", args, { env: { TMPDIR: scratch }, timeoutMs: makeMs });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fetchNode(context: string): Promise<void> {
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  const packages = [`node-linux-${arch}@${nodeVersion}`, `npm@${npmVersion}`];
  const names = (await shell("npm", ["pack", "--silent", ...packages], { cwd: context })).trim().split("\n");
  const [node = "", npm = ""] = names;
  for (const [archive, directory] of [
    [node, "node"],
    [npm, "npm"],
  ] as const) {
    mkdirSync(join(context, directory));
    // Nobody here compiles against its OpenSSL, whose headers are a third of the image.
    const args = ["-xzf", archive, "--strip-components=1", "--exclude=*/include/node/openssl", "-C", directory];
    await shell("tar", args, { cwd: context });
  }
}

/** The host's certificates are there for networks that have an authority of their own. */
const dockerfile = `FROM scratch
ADD rootfs.tar /
COPY node/bin/node /usr/local/bin/node
COPY node/include /usr/local/include
COPY npm /usr/local/lib/node_modules/npm
COPY host-ca.crt /etc/ssl/certs/ca-certificates.crt
RUN cd /usr/local/bin && ln -s ../lib/node_modules/npm/bin/npm-cli.js npm && \\
  ln -s ../lib/node_modules/npm/bin/npx-cli.js npx && chmod +x node && \\
  groupadd -g 1000 node && useradd -u 1000 -g 1000 -m -s /bin/bash node
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["node"]
`;
