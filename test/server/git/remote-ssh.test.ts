import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GitCredentialsSchema } from "@yonder/proto";
import { beforeEach, expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { finish } from "../../helpers/git-operations.ts";
import { openGitServer, type GitServer } from "../../helpers/git-server.ts";
import { encryptKey, hasSshd, makeKey, serveSsh, type SshServer } from "../../helpers/git-ssh.ts";
import { makeRepository, openRepository, temporaryDirectory, type Repository } from "../../helpers/repositories.ts";
import { findSecret } from "../../helpers/secret-search.ts";

beforeEach(({ skip }) => {
  if (!hasSshd) skip("git over ssh is NOT TESTED: there is no sshd (apt-get install openssh-server)");
});

interface Place {
  readonly ssh: SshServer;
  readonly server: GitServer;
  readonly directory: string;
  readonly origin: Repository;
  readonly url: string;
}

async function openPlace(): Promise<Place> {
  const root = temporaryDirectory();
  const origin = makeRepository(join(root, "repo.git"), "--bare");
  const seed = makeRepository(join(root, "seed"));
  seed.write("a", "1");
  seed.commit();
  seed.git("push", "-q", origin.path, "main");
  const ssh = await serveSsh();
  const directory = temporaryDirectory();
  return { ssh, server: await openGitServer(directory), directory, origin, url: `${ssh.origin}${origin.path}` };
}

interface KeyOptions {
  knownHosts?: string;
  passphrase?: string;
  acceptUnknownHost?: boolean;
  host?: string;
}

function withKey(
  privateKey: Uint8Array,
  { host = "", ...rest }: KeyOptions = {},
): MessageInitShape<typeof GitCredentialsSchema>[] {
  return [{ host, secret: { case: "sshKey", value: { privateKey: new Uint8Array(privateKey), ...rest } } }];
}

/** A line of a key's own, which is in no other key. */
function pieceOf(key: Buffer): string {
  return key.toString().split("\n")[2]?.slice(0, 40) ?? "";
}

/** What is left of this process's private agents; other servers on the machine have theirs there too. */
function agents(): string[] {
  return readdirSync("/dev/shm").filter((name) => name.startsWith(`yonder-git-${process.pid}-`));
}

test("clone, commit, push, fetch and pull over ssh leave the key nowhere", async () => {
  const { ssh, server, directory, origin, url } = await openPlace();
  const credentials = withKey(ssh.key, { knownHosts: ssh.knownHosts });
  await finish(server.client.cloneRepository({ url, path: "work", credentials }));
  const work = openRepository(join(directory, "work"));
  work.write("b", "1");
  await server.client.commit({ path: "work", message: "work", stageAll: true });
  await finish(server.client.push({ path: "work", credentials }));
  expect(origin.git("log", "-1", "--format=%s", "main")).toBe("work");
  await finish(server.client.fetch({ path: "work", credentials }));
  await finish(server.client.pull({ path: "work", credentials }));
  expect(pieceOf(ssh.key).length).toBe(40);
  expect(findSecret(pieceOf(ssh.key), [directory])).toEqual([]);
  expect(agents()).toEqual([]);
});

test("a key that the host does not take, or none, is refused", async () => {
  const { ssh, server, directory, url } = await openPlace();
  const { privateKey } = makeKey(temporaryDirectory(), "other");
  const other = withKey(privateKey, { knownHosts: ssh.knownHosts });
  await expectReason(server.client.cloneRepository({ url, credentials: other }), "AUTHENTICATION_FAILED");
  const elsewhere = withKey(ssh.key, { knownHosts: ssh.knownHosts, host: "git.example.com" });
  await expectReason(server.client.cloneRepository({ url, credentials: elsewhere }), "HOST_KEY_UNVERIFIED");
  const noKey = withKey(Buffer.from("no key"), { knownHosts: ssh.knownHosts });
  await expectReason(server.client.cloneRepository({ url, credentials: noKey }), "INVALID_FIELD");
  await expectReason(server.client.cloneRepository({ url, credentials: withKey(Buffer.alloc(0)) }), "MISSING_FIELD");
  expect(readdirSync(directory)).toEqual([]);
  expect(agents()).toEqual([]);
});

test("an unknown host is refused, and taken without being remembered where that is asked for", async () => {
  const { ssh, server, url } = await openPlace();
  const known = join(homedir(), ".ssh/known_hosts");
  const before = existsSync(known) ? execFileSync("md5sum", [known], { encoding: "utf8" }) : "";
  await expectReason(server.client.cloneRepository({ url }), "HOST_KEY_UNVERIFIED");
  await expectReason(server.client.cloneRepository({ url, credentials: withKey(ssh.key) }), "HOST_KEY_UNVERIFIED");
  const impostor = ssh.knownHosts.replace(
    /AAAA\S+/,
    makeKey(temporaryDirectory(), "impostor").publicKey.split(" ")[1] ?? "",
  );
  for (const acceptUnknownHost of [false, true]) {
    const credentials = withKey(ssh.key, { knownHosts: impostor, acceptUnknownHost });
    await expectReason(server.client.cloneRepository({ url, credentials }), "HOST_KEY_UNVERIFIED");
  }
  const credentials = withKey(ssh.key, { acceptUnknownHost: true });
  await finish(server.client.cloneRepository({ url, credentials }));
  expect(existsSync(known) ? execFileSync("md5sum", [known], { encoding: "utf8" }) : "").toBe(before);
});

test("a key under a passphrase is opened with it, and with no other", async () => {
  const { ssh, server, directory, url } = await openPlace();
  const passphrase = ["pass", "phrase", process.pid, Date.now()].join(" ");
  const key = encryptKey(ssh.key, passphrase);
  const { knownHosts } = ssh;
  const call = (rest: KeyOptions): ReturnType<typeof server.client.cloneRepository> =>
    server.client.cloneRepository({ url, credentials: withKey(key, { knownHosts, ...rest }) });
  await expectReason(call({ passphrase: "another" }), "INVALID_FIELD");
  await expectReason(call({}), "INVALID_FIELD");
  await finish(call({ passphrase }));
  expect(findSecret(passphrase, [directory])).toEqual([]);
});

test("a repository that is not there and a push that is rejected say so", async () => {
  const { ssh, server, directory, origin, url } = await openPlace();
  const credentials = withKey(ssh.key, { knownHosts: ssh.knownHosts });
  await expectReason(server.client.cloneRepository({ url: `${url}-none`, credentials }), "REMOTE_NOT_FOUND");
  await finish(server.client.cloneRepository({ url, path: "work", credentials }));
  openRepository(join(directory, "work")).commit();
  writeFileSync(join(origin.path, "hooks/pre-receive"), "#!/bin/sh\necho no >&2; exit 1\n", { mode: 0o755 });
  await expectReason(server.client.push({ path: "work", credentials }), "PUSH_REJECTED");
  const away = { url: "ssh://a@127.0.0.1:9/x", credentials };
  await expectReason(server.client.cloneRepository(away), "REMOTE_UNREACHABLE");
  await expect(finish(server.client.cloneRepository(away))).rejects.toThrow(/ssh: .*Connection refused/);
});
