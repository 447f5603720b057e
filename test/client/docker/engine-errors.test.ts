import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DockerWorkspace } from "../../../client/src/docker/index.ts";
import type { DockerWorkspaceOptions } from "../../../client/src/docker/index.ts";

const image = { Os: "linux", Architecture: "amd64", Config: { Labels: { "dev.yonder.contract": "1" } } };

/** Something that answers as an engine does, with this refusal to the creation of containers. */
async function engineThatRefuses(status: number, message: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-engine-"));
  const answer: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://engine");
    const isCreation = pathname === "/containers/create";
    response.statusCode = isCreation ? status : 200;
    response.end(JSON.stringify(isCreation ? { message } : pathname === "/containers/json" ? [] : image));
  };
  const server = createServer(answer).listen(join(directory, "engine.sock"));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true, force: true });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  return `unix://${join(directory, "engine.sock")}`;
}

test.each<[string, string, string, number, string, DockerWorkspaceOptions]>([
  ["a full disk", "LimitExceeded", "STORAGE_FULL", 500, "write /var/lib/docker/x: no space left on device", {}],
  [
    "no GPU",
    "Unsupported",
    "NOT_SUPPORTED",
    500,
    'could not select device driver "" with capabilities: [[gpu]]',
    { enableGpu: true },
  ],
  [
    "a name in use",
    "AlreadyExists",
    "NAME_IN_USE",
    409,
    'Conflict. The container name "/n" is already in use by container "x"',
    { name: "n" },
  ],
  [
    "Podman's name in use",
    "AlreadyExists",
    "NAME_IN_USE",
    500,
    'creating container storage: the container name "n" is already in use by x',
    { name: "n" },
  ],
  ["options that it does not take", "InvalidRequest", "ENGINE_FAILED", 400, "invalid runtime config", {}],
  ["a fault of its own", "Unavailable", "ENGINE_FAILED", 500, "something broke", {}],
])(
  "an engine's word of %s is a typed error that says what to do",
  async (_, name, reason, status, message, options) => {
    const dockerHost = await engineThatRefuses(status, message);
    const start = DockerWorkspace.start({ dockerHost, serverImage: "some:image", ...options });
    await expect(start).rejects.toMatchObject({ name, reason });
  },
);

test("an engine on another machine is refused before anything is started", async () => {
  const dockerHost = await engineThatRefuses(500, "");
  expect(dockerHost).toMatch(/^unix:/);
  const start = DockerWorkspace.start({ dockerHost: "tcp://192.0.2.1:2375", startTimeoutMs: 1_000 });
  await expect(start).rejects.toMatchObject({ reason: "INVALID_FIELD", subject: "dockerHost" });
});

test.each<[string, string, DockerWorkspaceOptions]>([
  ["user", "unable to find user ghost: no matching entries in passwd file", { user: "ghost" }],
  ["network", "network nowhere not found", { network: "nowhere" }],
  ["volumes", 'invalid mount config for type "bind": bind source path does not exist: /x', { volumes: ["/x:/x"] }],
  ["memory", "Minimum memory limit allowed is 6MB", { memory: "1k" }],
  ["cpus", "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", { cpus: 1_000 }],
  ["ulimits", "OCI runtime create failed: wrong rlimit value: RLIMIT_JUNK: unknown", { ulimits: { junk: 5 } }],
  ["capAdd", 'invalid CapAdd: unknown capability: "CAP_NOPE"', { capAdd: ["NOPE"] }],
  ["securityOpt", 'invalid --security-opt 2: "nope=1"', { securityOpt: ["nope=1"] }],
  ["runtime", "Unknown runtime specified runsc", { runtime: "runsc" }],
  ["name", "Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", { name: "a b" }],
  ["workingDir", "Cannot mkdir: /etc/passwd is not a directory", { workingDir: "/etc/passwd" }],
  ["tmpfs", 'error mounting "tmpfs" to rootfs at "/x": invalid argument', { tmpfs: { "/x": "size=zz" } }],
])("an engine's refusal of %s names the option, whatever its status", async (subject, message, options) => {
  for (const status of [400, 404, 500]) {
    const dockerHost = await engineThatRefuses(status, message);
    const start = DockerWorkspace.start({ dockerHost, serverImage: "some:image", ...options });
    await expect(start).rejects.toMatchObject({ name: "InvalidRequest", reason: "INVALID_FIELD", subject });
  }
});
