import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ExecState } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { argv, execServer, refusal, told } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

// With every line that a server can log, so that a secret could show in one.
const server = execServer({ flags: ["--log-level=debug"] });

describe("ListExecs", () => {
  test("lists the newest first, by labels and by state", async () => {
    const labels = { suite: "list", role: "dev server", emoji: "🦊" };
    const { execId: running } = await server.spawn("sleep 1000", { labels });
    const { execId: ended } = await server.spawn("true", { labels: { suite: "list" } });
    await server.spawn("true", { labels: { suite: "other" } });
    await server.ended(ended);
    const ids = async (request: object) => (await server.exec.listExecs(request)).execs.map(({ execId }) => execId);
    expect(await ids({ labels: { suite: "list" } })).toEqual([ended, running]);
    expect(await ids({ labels: { suite: "list", role: "dev server" } })).toEqual([running]);
    expect(await ids({ labels: { suite: "list", role: "no" } })).toEqual([]);
    expect(await ids({ labels: { toString: "no" } })).toEqual([]);
    expect(await ids({ labels: { suite: "list" }, state: ExecState.RUNNING })).toEqual([running]);
    expect(await ids({ labels: { suite: "list" }, state: ExecState.ENDED })).toEqual([ended]);
    expect((await server.exec.listExecs({ labels })).execs[0]).toMatchObject({ labels, state: ExecState.RUNNING });
    await server.kill(running);
  });

  test("has pages that stay what they are while new execs start", async () => {
    const labels = { suite: "pages" };
    const old: string[] = [];
    for (let i = 0; i < 7; i++) old.unshift((await server.spawn("true", { labels })).execId);
    const seen: string[] = [];
    const sizes: number[] = [];
    let pageToken = "";
    do {
      const page = await server.exec.listExecs({ labels, pageSize: 3, pageToken });
      seen.push(...page.execs.map(({ execId }) => execId));
      sizes.push(page.execs.length);
      pageToken = page.nextPageToken;
      await server.spawn("true", { labels });
    } while (pageToken !== "");
    expect(seen).toEqual(old);
    expect(sizes).toEqual([3, 3, 1]);
  });

  test("ends without a token where a page is just full", async () => {
    const labels = { suite: "full" };
    for (let i = 0; i < 2; i++) await server.spawn("true", { labels });
    const page = await server.exec.listExecs({ labels, pageSize: 2 });
    expect(page.execs).toHaveLength(2);
    expect(page.nextPageToken).toBe("");
    expect(await server.exec.listExecs({ labels: { suite: "none" } })).toMatchObject({ execs: [], nextPageToken: "" });
  });
});

describe("what an exec tells of itself", () => {
  test("is what was asked for", async () => {
    mkdirSync(join(server.directory, "below"));
    const request = {
      program: argv("sh", "-c", "exit 3", "with  spaces", ""),
      workingDirectory: "below",
      labels: { a: "b" },
    };
    const { exec } = await server.spawn(request);
    const { ended, ...rest } = await server.ended(exec.execId);
    expect(rest).toMatchObject({
      program: { case: "args", value: { values: request.program.value.values } },
      workingDirectory: join(server.directory, "below"),
      labels: { a: "b" },
      user: "",
      state: ExecState.ENDED,
      pid: 0,
      stdinOpen: false,
    });
    expect(rest.rawWorkingDirectory).toHaveLength(0);
    expect(rest.terminal).toBeUndefined();
    expect(exec.pid).toBeGreaterThan(0);
    expect(ended.startTime).toEqual(rest.startTime);
  });

  test("has a directory that is no UTF-8 as bytes, in and out", async () => {
    const name = Buffer.from("caf\u00e9-\u00ff", "latin1");
    const path = Buffer.concat([Buffer.from(`${server.directory}/`), name]);
    mkdirSync(path);
    for (const rawWorkingDirectory of [name, path]) {
      const { execId } = await server.spawn("pwd -P", { rawWorkingDirectory });
      const { rawWorkingDirectory: told, workingDirectory } = await server.ended(execId);
      expect(Buffer.from(told)).toEqual(path);
      expect(workingDirectory).toContain("caf\ufffd-\ufffd");
      const { output } = await server.exec.readOutput({ execId });
      expect(Buffer.concat(output.map(({ data }) => data))).toEqual(Buffer.concat([path, Buffer.from("\n")]));
    }
    const { exec } = await server.spawn("true");
    expect(exec.workingDirectory).toBe(server.directory);
    expect(exec.rawWorkingDirectory).toHaveLength(0);
  });

  test("never has a value of its environment or a byte of its input: in no answer, log or file", async () => {
    const [value, input, later] = ["s3cret-value", "s3cret-input", "s3cret-later"];
    const { execId } = await server.spawn("cat > /dev/null; echo ${#TOKEN}", {
      environment: { variables: { TOKEN: value } },
      stdin: { data: Buffer.from(input) },
    });
    await server.exec.writeStdin({ execId, offset: BigInt(input.length), data: Buffer.from(later), eof: true });
    await server.ended(execId);
    // The refused are logged with a reason.
    const bad = { TOKEN: `${value}\0` };
    const request = { program: { case: "command" as const, value: "true" }, environment: { variables: bad } };
    const refused = await refusal(server.exec.startExec({ exec: request }));
    const answers = [
      await server.exec.getExec({ execId }),
      await server.exec.listExecs({}),
      await server.exec.readOutput({ execId }),
      await told(server.exec.attach({ execId })),
      refused,
    ];
    const text = JSON.stringify(answers, (_, item: unknown) =>
      item instanceof Uint8Array
        ? Buffer.from(item).toString("latin1")
        : typeof item === "bigint"
          ? String(item)
          : item,
    );
    await until(() => server.served.log.includes("invalid argument"));
    const files = contentOf(server.served.stateDirectory);
    for (const content of [text, files]) expect(content).toContain(execId);
    for (const content of [text, files, server.served.log]) {
      for (const secret of [value, input, later]) expect(content).not.toContain(secret);
    }
  });
});

function contentOf(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}
