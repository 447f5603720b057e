// Makes small calls through @grpc/grpc-js and protobuf-es: `GetInfo`, `Stat PATH`. For any server of the contract.
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import * as proto from "@yonder/proto";
import { grpcService } from "../kit/grpc-service.ts";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const { host, apiKey } = JSON.parse(process.argv[2] ?? "{}") as { host: string; apiKey?: string };
const client = new Client(new URL(host).host, credentials.createInsecure());
const metadata = new Metadata();
if (apiKey !== undefined) metadata.set("authorization", `Bearer ${apiKey}`);
const { getInfo } = grpcService(proto.WorkspaceService);
const { stat } = grpcService(proto.FileService);

serveJobs(async (program) => {
  const [call, path = ""] = argvOf(program);
  if (call === "GetInfo") await unary(getInfo, create(proto.GetInfoRequestSchema));
  else await unary(stat, create(proto.StatRequestSchema, { path }));
  return 0;
});

function unary(method: typeof getInfo, request: object): Promise<void> {
  if (method === undefined) throw new Error("the contract has no such call");
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}
