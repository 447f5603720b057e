import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import * as proto from "@yonder/proto";
import { grpcService } from "./grpc-service.ts";
import { argvOf } from "./program.ts";
import type { Program } from "./program.ts";

/** Small calls through @grpc/grpc-js and protobuf-es, of any server of the contract: `GetInfo`, `Stat PATH`. */
export function stockCalls({ host, apiKey }: { host: string; apiKey?: string }): (program: Program) => Promise<number> {
  const client = new Client(new URL(host).host, credentials.createInsecure());
  const metadata = new Metadata();
  if (apiKey !== undefined) metadata.set("authorization", `Bearer ${apiKey}`);
  const { getInfo } = grpcService(proto.WorkspaceService);
  const { stat } = grpcService(proto.FileService);

  const unary = (method: typeof getInfo, request: object): Promise<number> => {
    if (method === undefined) throw new Error("the contract has no such call");
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error) =>
        error === null ? resolve(0) : reject(error),
      );
    });
  };
  return (program) => {
    const [call, path = ""] = argvOf(program);
    if (call === "GetInfo") return unary(getInfo, create(proto.GetInfoRequestSchema));
    return unary(stat, create(proto.StatRequestSchema, { path }));
  };
}
