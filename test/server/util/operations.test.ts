import { expect, test } from "vitest";
import { Aborted, FailedPrecondition, Unavailable } from "../../../server/src/util/errors.ts";
import {
  Operations,
  type OperationEvent,
  type OperationRun,
  type StartedOperation,
} from "../../../server/src/util/operations.ts";
import { until } from "../../helpers/until.ts";

const options = { retentionMs: 60_000, maxEnded: 10, maxRunning: 2, limitName: "max_things" };
const never = new AbortController().signal;

/** An operation that is driven from outside. */
function driven(): {
  act: (run: OperationRun<string>) => Promise<string>;
  run: Promise<OperationRun<string>>;
  resolve: (result: string) => void;
  reject: (error: Error) => void;
} {
  const begun = Promise.withResolvers<OperationRun<string>>();
  const outcome = Promise.withResolvers<string>();
  return {
    run: begun.promise,
    resolve: outcome.resolve,
    reject: outcome.reject,
    act(run) {
      begun.resolve(run);
      run.signal.addEventListener("abort", () => outcome.reject(run.signal.reason as Error));
      return outcome.promise;
    },
  };
}

async function read(
  operation: StartedOperation<string, string>,
  signal = never,
  heartbeatMs = 60_000,
): Promise<OperationEvent<string, string>[]> {
  const events: OperationEvent<string, string>[] = [];
  for await (const event of operation.events(signal, heartbeatMs)) events.push(event);
  return events;
}

test("the same id joins the running operation, and its outcome is there after the end", async () => {
  const operations = new Operations(options);
  const { act, resolve } = driven();
  const first = operations.start("id", "f", act);
  const second = operations.start<string, string>("id", "f", () => Promise.reject(new Error("begun twice")));
  expect([first.isNew, second.isNew]).toEqual([true, false]);
  const both = Promise.all([read(first), read(second)]);
  resolve("done");
  const result = [{ type: "result", result: "done" }];
  expect(await both).toEqual([result, result]);
  expect(await read(operations.start("id", "f", act))).toEqual(result);
});

test("a failure is remembered like a result", async () => {
  const operations = new Operations(options);
  const { act, reject } = driven();
  const first = operations.start("id", "f", act);
  reject(new FailedPrecondition("GIT_FAILED", "no"));
  await expect(read(first)).rejects.toThrow("no");
  await expect(read(operations.start("id", "f", act))).rejects.toThrow("no");
});

test("an id belongs to its request, and an empty one gets a new one", () => {
  const operations = new Operations(options);
  const never = (): Promise<string> => new Promise(() => {});
  operations.start("id", "f", never);
  expect(() => operations.start("id", "other", never)).toThrow(
    expect.objectContaining({ reason: "REQUEST_ID_CONFLICT" }),
  );
  const made = operations.start("", "f", never);
  expect(made.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(operations.start(made.id, "f", never).isNew).toBe(false);
});

test("each reader gets each phase's newest progress, in order, also one that joins later", async () => {
  const operations = new Operations(options);
  const { act, run, resolve } = driven();
  const first = operations.start("id", "f", act);
  const { report } = await run;
  const reading = read(first);
  report("one", "one 1");
  report("one", "one 2");
  report("two", "two 1");
  await new Promise(setImmediate);
  report("two", "two 2");
  const late = read(operations.start("id", "f", act));
  await new Promise(setImmediate);
  resolve("done");
  const texts = (events: OperationEvent<string, string>[]): string[] =>
    events.map((event) => (event.type === "progress" ? event.progress : event.type));
  expect(texts(await reading)).toEqual(["one 2", "two 1", "two 2", "result"]);
  expect(texts(await late)).toEqual(["one 2", "two 2", "result"]);
});

test("a reader that leaves changes nothing, and silence brings heartbeats", async () => {
  const operations = new Operations(options);
  const { act, resolve, run } = driven();
  const operation = operations.start("id", "f", act);
  const cut = new AbortController();
  const types: string[] = [];
  const leaving = (async () => {
    for await (const { type } of operation.events(cut.signal, 5)) types.push(type);
  })();
  await until(() => types.length > 1);
  cut.abort();
  await leaving;
  expect(new Set(types)).toEqual(new Set(["heartbeat"]));
  expect((await run).signal.aborted).toBe(false);
  resolve("done");
  expect((await read(operation)).at(-1)).toEqual({ type: "result", result: "done" });
});

test("cancelling ends it once, and an operation that has ended is left as it is", async () => {
  const operations = new Operations(options);
  const { act } = driven();
  const reading = Promise.allSettled([read(operations.start("id", "f", act))]);
  expect(await operations.cancel("id")).toBe(true);
  expect(await reading).toMatchObject([{ status: "rejected", reason: { reason: "OPERATION_CANCELLED" } }]);
  expect(await operations.cancel("id")).toBe(false);
  await expect(operations.cancel("unknown")).rejects.toMatchObject({ reason: "OPERATION_NOT_FOUND" });
});

test("an operation that ends by itself while it is cancelled has its own outcome", async () => {
  const operations = new Operations(options);
  const own = new Aborted("GIT_TIMED_OUT", "own");
  const operation = operations.start<string, string>(
    "id",
    "f",
    ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(own))),
  );
  expect(await operations.cancel("id")).toBe(false);
  await expect(read(operation)).rejects.toBe(own);
});

test("more than the limit are refused while they run, and ended ones do not count", async () => {
  const operations = new Operations(options);
  const one = driven();
  const first = operations.start("1", "f", one.act);
  operations.start("2", "f", driven().act);
  expect(() => operations.start("3", "f", driven().act)).toThrow(
    expect.objectContaining({ context: expect.objectContaining({ limit: { name: "max_things", value: 2 } }) }),
  );
  one.resolve("done");
  await read(first);
  expect(operations.start("3", "f", driven().act).isNew).toBe(true);
});

test("outcomes are forgotten after a while, and the oldest where there are too many", async () => {
  const few = new Operations({ ...options, maxEnded: 2 });
  const begin = (operations: Operations, id: string) =>
    operations.start<string, string>(id, "f", () => Promise.resolve(id));
  for (const id of ["a", "b", "c"]) await read(begin(few, id));
  expect([begin(few, "c").isNew, begin(few, "a").isNew]).toEqual([false, true]);

  const brief = new Operations({ ...options, retentionMs: 50 });
  await read(begin(brief, "a"));
  await until(() => begin(brief, "a").isNew);
});

test("closing ends what runs and takes no more", async () => {
  const operations = new Operations(options);
  const reading = Promise.allSettled([read(operations.start("id", "f", driven().act))]);
  const stopping = new Unavailable("SERVER_STOPPING", "stop");
  await operations.close(stopping);
  expect(await reading).toEqual([{ status: "rejected", reason: stopping }]);
  expect(() => operations.start("other", "f", driven().act)).toThrow("stop");
});
