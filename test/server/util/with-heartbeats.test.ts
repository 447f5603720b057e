import { expect, test } from "vitest";
import { withHeartbeats } from "../../../server/src/util/with-heartbeats.ts";

test("a source that is silent is heard of until it speaks, and then ends as it does", async () => {
  const { promise: news, resolve: tell } = Promise.withResolvers<string>();
  async function* source() {
    yield "first";
    yield await news;
  }
  const heard = withHeartbeats(source(), 1, "heartbeat");
  expect((await heard.next()).value).toBe("first");
  for (let beats = 0; beats < 3; beats++) expect((await heard.next()).value).toBe("heartbeat");
  tell("news");
  const rest: string[] = [];
  for await (const each of heard) rest.push(each);
  expect(rest.filter((each) => each !== "heartbeat")).toEqual(["news"]);
});

test("a source that speaks is heard of by nothing else", async () => {
  async function* source() {
    yield* [1, 2, 3];
  }
  const heard: unknown[] = [];
  for await (const each of withHeartbeats(source(), 60_000, "heartbeat")) heard.push(each);
  expect(heard).toEqual([1, 2, 3]);
});

test("what a source fails with is told, and a reader who goes ends it", async () => {
  const { promise: never } = Promise.withResolvers<string>();
  const failure = new Error("broken");
  // oxlint-disable-next-line typescript/require-await -- a generator that fails at once
  async function* failing(): AsyncGenerator<string> {
    throw failure;
  }
  await expect(withHeartbeats(failing(), 1, "heartbeat").next()).rejects.toBe(failure);

  let ended = 0;
  async function* source() {
    try {
      yield "first";
      yield await never;
    } finally {
      ended++;
    }
  }
  for await (const each of withHeartbeats(source(), 60_000, "heartbeat")) if (each === "first") break;
  expect(ended).toBe(1);
});
