import { create } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import { createContextKey, createContextValues, createHandlerContext } from "@connectrpc/connect";
import type { HandlerContext, Interceptor, MethodImpl } from "@connectrpc/connect";
import { createAsyncIterable, transformInvokeImplementation } from "@connectrpc/connect/protocol";
import { DownloadRequestSchema, FileService } from "@yonder/proto";
import { describe, expect, it } from "vitest";
import { invokeStream } from "../../wire/src/invoke-stream.ts";

const method = FileService.method.download;
type Impl = MethodImpl<typeof method>;
const request = create(DownloadRequestSchema, { path: "a" });
const key = createContextKey("default");

function newContext(): HandlerContext {
  return createHandlerContext({
    service: FileService,
    method,
    protocolName: "grpc",
    requestMethod: "POST",
    url: "http://host/path",
    requestHeader: { asked: "yes" },
    responseHeader: { head: "first" },
    responseTrailer: { trail: "first" },
    contextValues: createContextValues(),
  });
}

/** What comes of it: the replies, what ended them, and the headers and trailers then. */
async function outcome(open: (context: HandlerContext) => Promise<AsyncIterator<Message>>) {
  const context = newContext();
  const replies: unknown[] = [];
  let error: unknown;
  try {
    const iterator = await open(context);
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      replies.push({ ...next.value, head: [...context.responseHeader] });
    }
  } catch (thrown) {
    error = thrown;
  }
  return { replies, error, head: [...context.responseHeader], trail: [...context.responseTrailer] };
}

/** What comes of it by hand and by Connect, which have to be the same. */
async function both(impl: Impl, interceptors: Interceptor[] = []) {
  const ours = await outcome((context) => invokeStream(method, impl, context, interceptors, request));
  const connects = await outcome(async (context) => {
    const spec = { kind: "server_streaming", method, impl } as Parameters<typeof transformInvokeImplementation>[0];
    const replies = transformInvokeImplementation(spec, context, interceptors)(createAsyncIterable<Message>([request]));
    return replies[Symbol.asyncIterator]();
  });
  expect(ours).toEqual(connects);
  return ours;
}

const twice: Impl = async function* ({ path }, { requestHeader, responseHeader, responseTrailer, values }) {
  responseHeader.set("seen", `${requestHeader.get("asked")} ${values.get(key)} ${path}`);
  yield { part: { case: "finished", value: { crc32: 1 } } };
  yield { part: { case: "finished", value: { crc32: 2 } } };
  responseTrailer.set("late", "1");
};

describe("a stream of replies by hand", () => {
  it("is Connect's, with whole messages", async () => {
    const { replies, head, trail } = await both(twice);
    expect(replies).toMatchObject([
      { part: { value: { crc32: 1, changed: false } } },
      { part: { value: { crc32: 2 } } },
    ]);
    expect(head).toContainEqual(["seen", "yes default a"]);
    expect(trail).toContainEqual(["late", "1"]);
  });

  it("goes through interceptors in their order, which may change all of it", async () => {
    const naming =
      (name: string): Interceptor =>
      (next) =>
      async (asked) => {
        asked.header.set("asked", `${asked.header.get("asked")} ${name}`);
        asked.contextValues.set(key, name);
        return await next(asked);
      };
    const replacing: Interceptor = (next) => async (asked) => {
      const response = await next(asked);
      return { ...response, header: new Headers({ other: "head" }), trailer: new Headers({ other: "trail" }) };
    };
    const inOrder = await both(twice, [naming("one"), naming("two")]);
    expect(inOrder.head).toContainEqual(["seen", "yes one two two a"]);
    const once: Impl = async function* () {
      yield { part: { case: "finished", value: {} } };
    };
    const replaced = await both(once, [replacing]);
    expect([replaced.head, replaced.trail]).toEqual([[["other", "head"]], [["other", "trail"]]]);
  });

  it("ends with what its handler or an interceptor throws", async () => {
    const failing: Impl = async function* () {
      yield { part: { case: "finished", value: {} } };
      throw new Error("of the handler");
    };
    expect(await both(failing)).toMatchObject({ replies: [{}], error: { message: "of the handler" } });
    const refusing: Interceptor = () => async () => {
      throw new Error("of the interceptor");
    };
    expect(await both(twice, [refusing])).toMatchObject({ replies: [], error: { message: "of the interceptor" } });
  });
});
