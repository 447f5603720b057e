import { join } from "node:path";
import { Metadata, status } from "@grpc/grpc-js";
import type { Client, ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { reflectedClient } from "../../helpers/reflected-client.ts";
import { makeRepository, type Repository } from "../../helpers/repositories.ts";
import { serve } from "../../helpers/serve.ts";

type Method = (...args: unknown[]) => unknown;

interface StockClient {
  readonly directory: string;
  unary<Reply>(name: string, request: object): Promise<Reply>;
  stream<Reply>(name: string, request: object): Promise<Reply[]>;
}

/** A client that knows of us what reflection tells, with its default limits. */
async function gitClient(): Promise<StockClient> {
  const server = await serve();
  const client: Client = await reflectedClient(
    `127.0.0.1:${server.port}`,
    "yonder.workspace.v1.GitService",
    new Metadata(),
  );
  onTestFinished(() => client.close());
  const methods = client as unknown as Record<string, Method>;
  return {
    directory: server.workingDirectory,
    unary: (name, request) =>
      new Promise((resolve, reject) => {
        const done = (error: ServiceError | null, reply: never): void => (error ? reject(error) : resolve(reply));
        methods[name]?.call(client, request, done);
      }),
    async stream(name, request) {
      const replies = [];
      const method = methods[name] as Method;
      const stream = method.call(client, request) as ClientReadableStream<never>;
      for await (const reply of stream) replies.push(reply);
      return replies;
    },
  };
}

function repositoryIn(directory: string): Repository {
  const repository = makeRepository(join(directory, "repository"));
  repository.write("a", "1\n");
  repository.commit();
  return repository;
}

test("a grpc-js client built from reflection alone lists changes, reads a diff and clones", async () => {
  const client = await gitClient();
  const repository = repositoryIn(client.directory);
  repository.write("a", "2\n");
  const { changes } = await client.unary<{ changes: object[] }>("ListChanges", { path: "repository" });
  expect(changes).toMatchObject([{ path: "a", status: "GIT_CHANGE_STATUS_UPDATED", untracked: false }]);
  const diff = await client.unary<{ original: { data: Buffer }; unified_diff: Buffer }>("GetDiff", {
    path: "repository/a",
  });
  expect(diff.original.data.toString()).toBe("1\n");
  expect(diff.unified_diff.toString()).toContain("-1\n+2\n");

  const events = await client.stream<{ event: string; result?: { branch: string } }>("CloneRepository", {
    url: repository.path,
    path: "clone",
  });
  expect(events[0]?.event).toBe("started");
  expect(events.at(-1)).toMatchObject({ event: "result", result: { branch: "main" } });
  const refused = client.unary("ListChanges", { path: "nowhere" });
  await expect(refused).rejects.toMatchObject({ code: status.NOT_FOUND });
});

test("with its default limit of 4 MiB it lists very long names that are no text, and reads a large diff", async () => {
  const client = await gitClient();
  const repository = repositoryIn(client.directory);
  const long = Buffer.alloc(240, 0xff).toString("latin1");
  for (let index = 0; index < 900; index++) {
    repository.write(Buffer.from(`${long}/${long}/${long}/${long}/${index}`, "latin1"), "");
  }
  let names = 0;
  let pageToken = "";
  do {
    const page = await client.unary<{ changes: { raw_path: Buffer }[]; next_page_token: string }>("ListChanges", {
      path: "repository",
      page_token: pageToken,
    });
    names += page.changes.filter(({ raw_path: bytes }) => bytes.length > 960).length;
    pageToken = page.next_page_token;
  } while (pageToken !== "");
  expect(names).toBe(900);

  repository.write("large", "0123456789abcdef\n".repeat(200_000));
  repository.git("add", "large");
  repository.git("commit", "-q", "-m", "large");
  repository.write("large", "fedcba9876543210\n".repeat(200_000));
  const request = { path: "repository/large" };
  const diff = await client.unary<{ original: { data: Buffer; truncated: boolean; size_bytes: string } }>(
    "GetDiff",
    request,
  );
  expect([diff.original.data.length, diff.original.truncated, diff.original.size_bytes]).toEqual([
    1024 * 1024,
    true,
    "3400000",
  ]);
});
