import { ConnectError, createClient } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { ErrorDetailSchema, ErrorReason, ExecService, FileService } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { openTestEdge, transports } from "../../helpers/edge.ts";

const limit = 65_536;
const tooMuch = new Uint8Array(limit + 1);

const options = {
  binary: {},
  JSON: { useBinaryFormat: false },
  compressed: { sendCompression: compressionGzip, compressMinBytes: 0 },
};

describe.each(Object.entries(transports))("%s", (_name, createTransport) => {
  test.each(Object.entries(options))("a message over the limit, %s, is told with the limit", async (_kind, how) => {
    const { url } = await openTestEdge({
      settings: { maxMessageBytes: limit },
      exec: { writeStdin: () => ({}), async *exec() {} },
      files: {
        async upload(parts) {
          for await (const _ of parts);
          return {};
        },
      },
    });
    const transport = createTransport(url, how);
    const [exec, files] = [createClient(ExecService, transport), createClient(FileService, transport)];
    const command = "x".repeat(limit + 1);
    const calls = [
      () => exec.writeStdin({ data: tooMuch }),
      () => first(exec.exec({ program: { case: "command", value: command } })),
      () => files.upload(once({ part: { case: "chunk", value: { data: tooMuch } } })),
    ];
    for (const call of calls) {
      const error = ConnectError.from(await call().catch((caught: unknown) => caught));
      expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
        {
          reason: ErrorReason.LIMIT_EXCEEDED,
          limit: { name: "max_message_bytes", value: BigInt(limit) },
          retryable: false,
          remedy: expect.stringContaining("chunks") as string,
        },
      ]);
    }
  });
});

async function first(stream: AsyncIterable<unknown>): Promise<unknown> {
  return await stream[Symbol.asyncIterator]().next();
}

async function* once<T>(message: T): AsyncGenerator<T> {
  yield message;
}
