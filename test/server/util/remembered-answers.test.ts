import { expect, test } from "vitest";
import { RememberedAnswers } from "../../../server/src/util/remembered-answers.ts";

const roomy = { retentionMs: 60_000, maxAnswers: 100 };

test("the same request id gets the first answer and acts once", async () => {
  const answers = new RememberedAnswers(roomy);
  let acts = 0;
  const act = async (): Promise<number> => ++acts;
  expect(await answers.once("Send", "a", "x", act)).toBe(1);
  expect(await answers.once("Send", "a", "x", act)).toBe(1);
  expect(acts).toBe(1);
});

test("a repeat while the first is under way waits for its answer", async () => {
  const answers = new RememberedAnswers(roomy);
  const { promise, resolve } = Promise.withResolvers<string>();
  const both = [answers.once("Send", "a", "x", () => promise), answers.once("Send", "a", "x", () => promise)];
  resolve("done");
  expect(await Promise.all(both)).toEqual(["done", "done"]);
});

test("an empty request id acts every time", async () => {
  const answers = new RememberedAnswers(roomy);
  let acts = 0;
  await answers.once("Send", "", "x", async () => ++acts);
  await answers.once("Send", "", "x", async () => ++acts);
  expect(acts).toBe(2);
});

test("the same id for a different request is REQUEST_ID_CONFLICT", async () => {
  const answers = new RememberedAnswers(roomy);
  await answers.once("Send", "a", "x", async () => 1);
  await expect(answers.once("Send", "a", "y", async () => 2)).rejects.toMatchObject({ reason: "REQUEST_ID_CONFLICT" });
});

test("the same id of another rpc is another request", async () => {
  const answers = new RememberedAnswers(roomy);
  await answers.once("Send", "a", "x", async () => 1);
  expect(await answers.once("Move", "a", "y", async () => 2)).toBe(2);
});

test("a failure is not remembered, so that the call can be tried again", async () => {
  const answers = new RememberedAnswers(roomy);
  await expect(answers.once("Send", "a", "x", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await answers.once("Send", "a", "x", async () => 1)).toBe(1);
});

test("past the limit the oldest answers are forgotten", async () => {
  const answers = new RememberedAnswers({ ...roomy, maxAnswers: 2 });
  let acts = 0;
  for (const id of ["a", "b", "c"]) await answers.once("Send", id, "x", async () => ++acts);
  await answers.once("Send", "a", "x", async () => ++acts);
  expect(acts).toBe(4);
});
