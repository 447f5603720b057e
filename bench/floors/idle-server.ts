// The floor under an attached reader: a stock Connect handler that says one thing and then waits, with nothing behind it. What
// it holds is measured from outside: `npm run bench -- --only idle-readers`.
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ExecService } from "@yonder/proto";

const handler = connectNodeAdapter({
  routes: (router) =>
    void router.service(ExecService, {
      async *attach(_request, { signal }) {
        yield { event: { event: { case: "heartbeat", value: { cursor: 0n } } } };
        await once(signal, "abort");
      },
    }),
});

const server = createServer({ settings: { maxConcurrentStreams: 10_000 } }, handler);
process.once("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
