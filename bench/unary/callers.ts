import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchmarkContext } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import type { Contender } from "../kit/contender.ts";
import { startFloor } from "../kit/floor.ts";
import { startYonderServer } from "../kit/yonder-server.ts";

/** A small call that a file or nothing is asked with. */
export type Call = "GetInfo" | "Stat";

/** Everybody who can make the call, and what they are to be told. */
export async function startCallers(
  context: BenchmarkContext,
  call: Call,
): Promise<{ readonly all: Contender[]; readonly program: { readonly args: string[] } }> {
  const { host, apiKey, workingDirectory } = await startYonderServer(context);
  const path = join(workingDirectory, "file");
  writeFileSync(path, "some text\n");
  const floor = await startFloor(context, {
    who: "@grpc/grpc-js on both ends",
    module: new URL("../floors/grpc-js-calls.ts", import.meta.url),
    settings: { info: await answerOfGetInfo(host, apiKey) },
  });
  const all = [
    floor.contender,
    await startContender(context, {
      role: "yonder",
      who: "TypeScript client, gRPC",
      module: new URL("../clients/unary-yonder-client.ts", import.meta.url),
      settings: { host, apiKey },
    }),
    await startContender(context, {
      role: "yonder",
      who: "stock grpc-js client",
      module: new URL("../clients/unary-grpc-js-client.ts", import.meta.url),
      settings: { host, apiKey },
    }),
  ];
  return { all, program: { args: call === "Stat" ? [call, path] : [call] } };
}

/** In base64, for the floor to answer the same. */
async function answerOfGetInfo(host: string, apiKey: string): Promise<string> {
  const reply = await fetch(`${host}/yonder.workspace.v1.WorkspaceService/GetInfo`, {
    method: "POST",
    headers: { "content-type": "application/proto", authorization: `Bearer ${apiKey}` },
    body: new Uint8Array(),
  });
  if (!reply.ok) throw new Error(`GetInfo answered ${reply.status}: ${await reply.text()}`);
  return Buffer.from(await reply.arrayBuffer()).toString("base64");
}
