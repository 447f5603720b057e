import { expect, test } from "vitest";
import { feedStdin } from "../../client/src/exec/stdin-feed.ts";
import type { ExecStdin } from "../../client/src/exec/stdin-writer.ts";
import { execRecord, openScriptedServer, say } from "../helpers/scripted-server.ts";
import { connect } from "../helpers/workspaces.ts";

test("an input that gives nothing is let go of when the command has ended", async () => {
  const { url } = await openScriptedServer({
    exec: {
      async *exec({ execId }) {
        yield say.started(execId);
        await asked.promise;
        yield say.ended();
      },
      getExec: ({ execId }) => ({ exec: execRecord(execId, true) }),
    },
  });
  const asked = Promise.withResolvers<void>();
  const returned = Promise.withResolvers<void>();
  const stdin = {
    [Symbol.asyncIterator]: () => ({
      next() {
        asked.resolve();
        return new Promise<never>(() => {});
      },
      async return() {
        returned.resolve();
        return { done: true as const, value: undefined };
      },
    }),
  };
  const workspace = await connect({ host: url });
  expect(await workspace.executeCommand("exit", { stdin })).toMatchObject({ exitCode: 0 });
  await returned.promise;
});

test("nothing is written of what an input gives after the end, and its errors are nobody's", async () => {
  const written: unknown[] = [];
  const take = async (data?: string | Uint8Array) => void written.push(data);
  const stdin: ExecStdin = { write: take, end: take };
  const ended = new AbortController();
  let released = false;
  async function* late() {
    try {
      yield "before";
      ended.abort();
      yield "after";
    } finally {
      released = true;
    }
  }
  async function* failing() {
    yield "before";
    ended.abort();
    throw new Error("too late");
  }
  await feedStdin(stdin, late(), ended.signal);
  expect({ written, released }).toEqual({ written: ["before"], released: true });
  await feedStdin(stdin, failing(), ended.signal);
  expect(written).toEqual(["before"]);
});
