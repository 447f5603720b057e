import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { makeAuthority, makeCertificate } from "./certificates.ts";
import { runBackend } from "./git-http-backend.ts";

export interface GitHttpsServer {
  /** "https://127.0.0.1:12345", and "127.0.0.1:12345". */
  readonly origin: string;
  readonly host: string;
  /** Each request that came: its path, and what it bore as Authorization. */
  readonly requests: { readonly url: string; readonly authorization: string | undefined }[];
  /** Answers requests itself where it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** What a request waits for before it is answered. */
  hold: (request: IncomingMessage) => Promise<void>;
  /** The user name and password it takes. */
  user: string;
  password: string;
}

export interface GitHttpsOptions {
  /** Where the repositories lie. */
  readonly root: string;
  readonly user?: string;
  readonly password?: string;
  /** Without TLS. */
  readonly cleartext?: boolean;
}

/**
 * A real git server: `git http-backend` behind TLS and basic authentication, on loopback. The process's own git trusts
 * its certificate from then on.
 */
export async function serveGitHttps(options: GitHttpsOptions): Promise<GitHttpsServer> {
  const directory = mkdtempSync(join(tmpdir(), "yonder-git-https-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const handler = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
  const { server, scheme } = await createListener(directory, options.cleartext === true, handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { user = "user", password = "password" } = options;
  const git: GitHttpsServer = {
    origin: `${scheme}://${host}`,
    host,
    requests: [],
    intercept: () => false,
    hold: () => Promise.resolve(),
    user,
    password,
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization } = request.headers;
    git.requests.push({ url: request.url ?? "", authorization });
    if (git.intercept(request, response)) return;
    const wanted = `Basic ${Buffer.from(`${git.user}:${git.password}`).toString("base64")}`;
    if (authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    await git.hold(request);
    await runBackend(options.root, request, response);
  }
  return git;
}

async function createListener(
  directory: string,
  cleartext: boolean,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ server: ReturnType<typeof createServer> | ReturnType<typeof createHttpServer>; scheme: string }> {
  if (cleartext) return { server: createHttpServer(handler), scheme: "http" };
  const ca = await makeAuthority();
  const { cert, key } = await makeCertificate(ca);
  const bundle = join(directory, "ca.pem");
  writeFileSync(bundle, ca.cert);
  const before = process.env["GIT_SSL_CAINFO"];
  process.env["GIT_SSL_CAINFO"] = bundle;
  onTestFinished(() => {
    if (before === undefined) delete process.env["GIT_SSL_CAINFO"];
    else process.env["GIT_SSL_CAINFO"] = before;
  });
  return { server: createServer({ cert, key }, handler), scheme: "https" };
}
