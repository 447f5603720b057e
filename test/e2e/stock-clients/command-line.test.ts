import { expect, test } from "vitest";
import { buf, grpcurl, skipUnless } from "../../helpers/programs.ts";
import { run } from "../../helpers/run.ts";
import { serve } from "../../helpers/serve.ts";
import type { ServedWorkspace } from "../../helpers/serve.ts";

const KEY = "a-key-of-the-stock-client";
const HEADER = `authorization: Bearer ${KEY}`;
const EXEC = "yonder.workspace.v1.ExecService/Exec";
const REQUEST = JSON.stringify({ exec_id: "once", command: "printf hello; exit 3" });

const open = (): Promise<ServedWorkspace> => serve({ env: { YONDER_SERVER_API_KEYS: KEY } });

for (const protocol of ["grpc", "grpcweb", "connect"]) {
  test(`buf curl runs a command over ${protocol} with no proto at hand`, async () => {
    const server = await open();
    const wire = ["--protocol", protocol, "--http2-prior-knowledge", "-H", HEADER];
    const args = ["curl", ...wire, "--reflect-header", HEADER, "-d", REQUEST, `${server.url}/${EXEC}`];
    const { stdout, stderr, exitCode } = await run(buf, args);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toContain(Buffer.from("hello").toString("base64"));
    expect(stdout).toContain("END_REASON_EXITED");
  });
}

test("buf curl lists the services and their methods", async () => {
  const server = await open();
  const args = ["curl", "--http2-prior-knowledge", "--list-methods", "-H", HEADER, "--reflect-header", HEADER];
  const { stdout } = await run(buf, [...args, server.url]);
  expect(stdout).toContain(EXEC);
  expect(stdout).toContain("grpc.health.v1.Health/Check");
});

test.skipIf(
  skipUnless(grpcurl, "grpcurl", "build it with `go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest`"),
)("grpcurl runs a command, joins it with the same words, and reads a refusal with its details", async () => {
  const server = await open();
  const call = (data: string): ReturnType<typeof run> =>
    run(grpcurl ?? "", ["-plaintext", "-H", HEADER, "-d", data, `127.0.0.1:${server.port}`, EXEC]);
  const first = await call(REQUEST);
  expect(first.exitCode).toBe(0);
  expect(first.stdout).toContain("EXEC_DISPOSITION_CREATED");
  const second = await call(REQUEST);
  expect(second.stdout).toContain("EXEC_DISPOSITION_JOINED");
  expect(second.stdout).toContain(Buffer.from("hello").toString("base64"));
  const refused = await call(JSON.stringify({ command: "true", working_directory: "/no/such/directory" }));
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain("Code: NotFound");
  expect(refused.stderr).toContain("DIRECTORY_NOT_FOUND");
  expect(refused.stderr).toContain("/no/such/directory");
});

test.skipIf(grpcurl === undefined)("grpcurl lists what has changed in a repository", async () => {
  const server = await open();
  await run("git", ["init", "--quiet", server.workingDirectory]);
  await run("touch", [`${server.workingDirectory}/ein Näme`]);
  const address = `127.0.0.1:${server.port}`;
  const call = ["-plaintext", "-H", HEADER, "-d", "{}", address, "yonder.workspace.v1.GitService/ListChanges"];
  const { stdout, stderr } = await run(grpcurl ?? "", call);
  expect(stderr).toBe("");
  expect(stdout).toContain("ein Näme");
  expect(stdout).toContain("ADDED");
});

test("curl starts a command over plain HTTP/1.1 and JSON", async () => {
  const server = await open();
  const headers = ["-H", HEADER, "-H", "content-type: application/json"];
  const body = JSON.stringify({ exec: { command: "true" } });
  const url = `${server.url}/yonder.workspace.v1.ExecService/StartExec`;
  const { stdout } = await run("curl", ["--silent", "--http1.1", ...headers, "-d", body, url]);
  expect(JSON.parse(stdout)).toMatchObject({ disposition: "EXEC_DISPOSITION_CREATED" });
});
